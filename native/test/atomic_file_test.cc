#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "scratch.h"
#include "system_calls.h"
#include "test.h"

namespace callseal::test {
namespace {

const Bytes kOld = {'o', 'l', 'd'};
const Bytes kNew = {'n', 'e', 'w', '!'};

struct stat status_of(const std::string& path) {
  struct stat status {};
  CHECK_EQ(lstat(path.c_str(), &status), 0);
  return status;
}

// With files that have no name until they are complete, and without.
void both_ways(const std::function<void(SystemCalls&)>& run) {
  for (bool unnamed : {true, false}) {
    SystemCalls calls;
    calls.unnamed_files = unnamed;
    run(calls);
  }
}

void write_file(const OutputOptions& options, const Bytes& content) {
  AtomicFile file(options);
  file.write(0, content);
  file.commit();
}

// Files longer than `limit` cannot be written while this lives: what a full disk does, half a write included.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t limit) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    rlimit lower = {limit, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &lower);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit before_{};
};

TEST(file_appears_complete_or_not_at_all) {
  both_ways([](SystemCalls& calls) {
    ScratchFolder folder;
    {
      AtomicFile file({folder.path("out"), false, true});
      file.write(0, kNew);
      CHECK(folder.listing().find("out ") == std::string::npos);
      if (calls.unnamed_files) {
        CHECK_EQ(folder.listing(), std::string(""));
      } else {
        CHECK_CONTAINS(folder.listing(), ".callseal-tmp");
      }
    }
    CHECK_EQ(folder.listing(), std::string(""));
    write_file({folder.path("out"), false, true}, kNew);
    CHECK_EQ(folder.listing(), std::string("out"));
    CHECK(folder.read("out") == kNew);
  });
}

TEST(file_is_for_its_owner_only) {
  both_ways([](SystemCalls&) {
    ScratchFolder folder;
    mode_t mask = umask(0);
    write_file({folder.path("out"), false, true}, kNew);
    umask(mask);
    CHECK_EQ(status_of(folder.path("out")).st_mode & 07777, mode_t{0600});
  });
}

TEST(file_does_not_replace_another_unless_told) {
  ScratchFolder folder;
  folder.write("out", kOld);
  Error error = CHECK_THROWS_CODE(AtomicFile({folder.path("out"), false, true}), Code::kOutputExists);
  CHECK_CONTAINS(error.what(), folder.path("out"));
  CHECK(folder.read("out") == kOld);
  write_file({folder.path("out"), true, true}, kNew);
  CHECK(folder.read("out") == kNew);
  CHECK_EQ(folder.listing(), std::string("out"));
}

TEST(file_never_replaces_anything_but_a_regular_file) {
  ScratchFolder folder;
  folder.write("target", kOld);
  CHECK_EQ(mkdir(folder.path("directory").c_str(), 0700), 0);
  CHECK_EQ(mkfifo(folder.path("fifo").c_str(), 0600), 0);
  CHECK_EQ(symlink("target", folder.path("link").c_str()), 0);
  CHECK_EQ(symlink("nowhere", folder.path("dangling").c_str()), 0);
  for (const char* name : {"directory", "fifo", "link", "dangling"}) {
    for (bool replace : {false, true}) {
      CHECK_THROWS_CODE(AtomicFile({folder.path(name), replace, true}), Code::kOutputExists);
    }
  }
  CHECK(folder.read("target") == kOld);
  CHECK_EQ(folder.listing(), std::string("dangling directory fifo link target"));
}

TEST(file_is_checked_without_being_made) {
  ScratchFolder folder;
  InputFile input(folder.write("in", kOld));
  folder.write("out", kOld);
  AtomicFile::check({folder.path("new"), false, true}, &input);
  AtomicFile::check({folder.path("out"), true, true}, &input);
  AtomicFile::check({folder.path("in"), false, true}, &input);  // the input itself is replaced in place
  CHECK_THROWS_CODE(AtomicFile::check({folder.path("out"), false, true}, &input), Code::kOutputExists);
  CHECK_THROWS_CODE(AtomicFile::check({folder.path("in"), false, true}, nullptr), Code::kOutputExists);
  CHECK_THROWS_CODE(AtomicFile::check({folder.path("."), true, true}, &input), Code::kInvalidArgument);
  CHECK_EQ(link(folder.path("in").c_str(), folder.path("second").c_str()), 0);
  InputFile linked(folder.path("in"));
  CHECK_THROWS_CODE(AtomicFile::check({folder.path("in"), true, true}, &linked), Code::kInvalidArgument);
  CHECK_EQ(folder.listing(), std::string("in out second"));
}

TEST(file_that_replaces_its_input_takes_no_other_for_it) {
  ScratchFolder folder;
  const std::string path = folder.write("in", kOld);
  const InputFile input(path);
  CHECK_EQ(rename(folder.write("other", kNew).c_str(), path.c_str()), 0);
  for (bool replace : {true, false}) {
    Error error = CHECK_THROWS_CODE(AtomicFile({path, replace, true}, &input), Code::kInputChanged);
    CHECK_CONTAINS(error.what(), "was replaced by another file");
  }
  CHECK(folder.read("in") == kNew);
}

TEST(file_names_that_are_none_are_refused) {
  ScratchFolder folder;
  for (const char* name : {"", ".", "..", "sub/", "sub/."}) {
    std::string path = std::string(name).empty() ? "" : folder.path(name);
    CHECK_THROWS_CODE(AtomicFile({path, false, true}), Code::kInvalidArgument);
  }
  Error error = CHECK_THROWS_CODE(AtomicFile({folder.path("missing/out"), false, true}), Code::kIo);
  CHECK_EQ(error.errno_name(), std::string("ENOENT"));
  folder.write("plain", kOld);
  error = CHECK_THROWS_CODE(AtomicFile({folder.path("plain/out"), false, true}), Code::kIo);
  CHECK_EQ(error.errno_name(), std::string("ENOTDIR"));
}

TEST(file_names_may_be_as_long_as_the_system_allows) {
  ScratchFolder folder;
  both_ways([&](SystemCalls&) {
    for (size_t length : {1, 200, 224, 225, 226, 255}) {
      std::string name(length, 'x');
      for (bool replace : {false, true}) write_file({folder.path(name), replace, true}, kNew);
      CHECK(folder.read(name) == kNew);
      CHECK_EQ(folder.listing(), name);
      CHECK_EQ(unlink(folder.path(name).c_str()), 0);
    }
  });
  Error error = CHECK_THROWS_CODE(AtomicFile({folder.path(std::string(256, 'x')), false, true}), Code::kIo);
  CHECK_EQ(error.errno_name(), std::string("ENAMETOOLONG"));
}

TEST(file_is_written_relative_to_the_working_directory) {
  ScratchFolder folder;
  std::string before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path("."));
  write_file({"out", false, true}, kNew);
  std::filesystem::current_path(before);
  CHECK(folder.read("out") == kNew);
}

TEST(file_survives_short_and_interrupted_writes) {
  ScratchFolder folder;
  Bytes content = sample_bytes(1000);
  SystemCalls calls;
  calls.longest_write = 7;
  calls.before = [&](const std::string&) { return calls.seen.size() % 3 == 0 ? EINTR : 0; };
  AtomicFile file({folder.path("out"), false, false});
  file.write(0, content);
  calls.before = nullptr;
  file.commit();
  CHECK(calls.count("pwrite") > 1000 / 7);
  CHECK(folder.read("out") == content);
}

TEST(file_that_does_not_fit_leaves_nothing) {
  ScratchFolder folder;
  folder.write("out", kOld);
  for (rlim_t limit : {0, 1, 999}) {
    FileSizeLimit full(limit);
    Error error = CHECK_THROWS_CODE(write_file({folder.path("out"), true, true}, sample_bytes(1000)), Code::kIo);
    CHECK_EQ(error.errno_name(), std::string("EFBIG"));
  }
  CHECK_EQ(folder.listing(), std::string("out"));
  CHECK(folder.read("out") == kOld);
}

TEST(file_is_written_in_any_order) {
  ScratchFolder folder;
  const Bytes content = sample_bytes(1000);
  AtomicFile file({folder.path("out"), false, false});
  file.reserve(1000);
  for (size_t at : {size_t{700}, size_t{0}, size_t{300}}) {
    file.write(at, ByteView(content).subview(at, at == 0 ? 300 : at == 300 ? 400 : 300));
  }
  file.commit();
  CHECK(folder.read("out") == content);
}

TEST(file_needs_no_file_system_that_sets_space_aside) {
  for (int error : {EOPNOTSUPP, ENOSYS, EINVAL, EINTR}) {
    ScratchFolder folder;
    SystemCalls calls;
    calls.before = [&](const std::string& name) { return name == "fallocate" && calls.seen.size() == 1 ? error : 0; };
    AtomicFile file({folder.path("out"), false, false});
    file.reserve(1000000);
    CHECK_EQ(calls.count("fallocate"), size_t{error == EINTR ? 2u : 1u});
    file.write(0, kNew);
    file.commit();
    CHECK(folder.read("out") == kNew);
  }
}

TEST(file_system_without_space_is_told_before_writing) {
  for (int error : {ENOSPC, EDQUOT, EFBIG}) {
    ScratchFolder folder;
    SystemCalls calls;
    calls.before = [&](const std::string&) { return error; };
    {
      AtomicFile file({folder.path("out"), false, false});
      CHECK_THROWS_CODE(file.reserve(1000000), Code::kIo);
    }
    CHECK_EQ(folder.listing(), std::string(""));
  }
}

TEST(file_is_synced_before_and_its_directory_after_it_has_its_name) {
  using Names = std::vector<std::string>;
  auto calls_of = [](const OutputOptions& options, bool unnamed) {
    SystemCalls calls;
    calls.unnamed_files = unnamed;
    write_file(options, kNew);
    return calls.seen;
  };
  for (bool unnamed : {true, false}) {
    ScratchFolder folder;
    const std::string naming = unnamed ? "linkat" : "renameat2";
    CHECK(calls_of({folder.path("a"), false, true}, unnamed) == (Names{"pwrite", "fsync", naming, "fsync"}));
    CHECK(calls_of({folder.path("b"), false, false}, unnamed) == (Names{"pwrite", naming}));
    Names replacing = {"pwrite", "fsync", "renameat", "fsync"};
    if (unnamed) replacing.insert(replacing.begin() + 2, "linkat");
    CHECK(calls_of({folder.path("a"), true, true}, unnamed) == replacing);
  }
}

// Writes with the call of that number failing. Whether it was reached.
bool write_failing_at(size_t failing, const OutputOptions& options, bool unnamed, std::vector<std::string>* seen) {
  SystemCalls calls;
  calls.unnamed_files = unnamed;
  calls.before = [&](const std::string&) { return calls.seen.size() == failing ? EIO : 0; };
  try {
    write_file(options, kNew);
  } catch (const Error& error) {
    CHECK(error.code() == Code::kIo);
    CHECK_EQ(error.errno_name(), std::string("EIO"));
  }
  *seen = calls.seen;
  return seen->size() >= failing;
}

TEST(file_is_whole_or_untouched_whatever_call_fails) {
  for (int way = 0; way < 4; ++way) {
    const bool replace = way % 2 == 1, unnamed = way < 2;
    const size_t calls = replace && unnamed ? 5 : 4;
    std::vector<std::string> seen;
    for (size_t failing = 1; failing <= calls + 1; ++failing) {
      ScratchFolder folder;
      if (replace) folder.write("out", kOld);
      CHECK_EQ(write_failing_at(failing, {folder.path("out"), replace, true}, unnamed, &seen), failing <= calls);
      // The directory's sync comes too late to have back what was replaced; a name that was new is taken away.
      if (failing > calls || (failing == calls && replace)) {
        CHECK(folder.read("out") == kNew);
      } else {
        CHECK_EQ(folder.listing(), std::string(replace ? "out" : ""));
        if (replace) CHECK(folder.read("out") == kOld);
      }
    }
  }
}

TEST(file_takes_no_name_that_was_taken_meanwhile) {
  ScratchFolder folder;
  enum Way { kUnnamed, kNamed, kLikeNfs };
  for (Way way : {kUnnamed, kNamed, kLikeNfs}) {
    folder.write("out", kOld);
    CHECK_EQ(unlink(folder.path("out").c_str()), 0);
    SystemCalls calls;
    calls.unnamed_files = way == kUnnamed;
    calls.before = [&](const std::string& name) { return way == kLikeNfs && name == "renameat2" ? EINVAL : 0; };
    AtomicFile file({folder.path("out"), false, true});
    file.write(0, kNew);
    folder.write("out", kOld);
    CHECK_THROWS_CODE(file.commit(), Code::kOutputExists);
    CHECK(folder.read("out") == kOld);
  }
  CHECK_EQ(folder.listing(), std::string("out"));
}

TEST(file_is_linked_where_renaming_cannot_refuse) {
  ScratchFolder folder;
  SystemCalls calls;
  calls.unnamed_files = false;
  calls.before = [](const std::string& name) { return name == "renameat2" ? EINVAL : 0; };
  write_file({folder.path("out"), false, true}, kNew);
  CHECK_EQ(calls.count("linkat"), size_t{1});
  CHECK(folder.read("out") == kNew);
  CHECK_EQ(folder.listing(), std::string("out"));
}

TEST(file_knows_whether_it_replaces_another) {
  ScratchFolder folder;
  folder.write("out", kOld);
  folder.write("other", kOld);
  AtomicFile file({folder.path("out"), true, true});
  CHECK(file.replaces(status_of(folder.path("out"))));
  CHECK(!file.replaces(status_of(folder.path("other"))));
  CHECK(!AtomicFile({folder.path("absent"), true, true}).replaces(status_of(folder.path("out"))));
}

TEST(file_takes_over_an_owner_where_it_may) {
  if (geteuid() != 0) throw Skip("only root may give files away, and this is not root");
  ScratchFolder folder;
  folder.write("out", kOld);
  CHECK_EQ(chown(folder.path("out").c_str(), 1234, 5678), 0);
  {
    AtomicFile file({folder.path("out"), true, true});
    file.write(0, kNew);
    file.take_owner(status_of(folder.path("out")));
    file.commit();
  }
  CHECK_EQ(status_of(folder.path("out")).st_uid, uid_t{1234});
  CHECK_EQ(status_of(folder.path("out")).st_gid, gid_t{5678});
}

TEST(file_keeps_its_own_owner_where_it_may_not_change_it) {
  ScratchFolder folder;
  folder.write("out", kOld);
  SystemCalls calls;
  int failure = EPERM;
  calls.before = [&](const std::string& name) { return name == "fchown" ? failure : 0; };
  AtomicFile file({folder.path("out"), true, true});
  file.take_owner(status_of(folder.path("out")));
  failure = EIO;
  CHECK_THROWS_CODE(file.take_owner(status_of(folder.path("out"))), Code::kIo);
}

TEST(atomic_file_takes_a_name_back_when_the_directory_cannot_be_synced) {
  both_ways([](SystemCalls& calls) {
    ScratchFolder folder;
    calls.before = [&](const std::string& name) { return name == "fsync" && calls.count("fsync") == 2 ? EIO : 0; };
    Error error = CHECK_THROWS_CODE(write_file({folder.path("key")}, kNew), Code::kIo);
    CHECK_CONTAINS(error.what(), "cannot sync the directory");
    CHECK_EQ(folder.listing(), std::string(""));
    // What was there before cannot be had back: the new content stays.
    folder.write("key", kOld);
    calls.seen.clear();
    CHECK_THROWS_CODE(write_file({folder.path("key"), true}, kNew), Code::kIo);
    CHECK(folder.read("key") == kNew);
  });
}

TEST(atomic_file_takes_no_name_back_from_another) {
  both_ways([](SystemCalls& calls) {
    ScratchFolder folder;
    calls.before = [&](const std::string& name) {
      if (name == "unlinkat") {
        folder.write("other", kOld);
        CHECK_EQ(rename(folder.path("other").c_str(), folder.path("key").c_str()), 0);
      }
      return name == "fsync" && calls.count("fsync") == 2 ? EIO : 0;
    };
    CHECK_THROWS_CODE(write_file({folder.path("key")}, kNew), Code::kIo);
    CHECK_EQ(folder.listing(), std::string("key"));
    CHECK(folder.read("key") == kOld);
  });
}

}  // namespace
}  // namespace callseal::test
