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
  ScratchFolder folder;
  {
    AtomicFile file({folder.path("out"), false, true});
    file.write(0, kNew);
    CHECK(folder.listing().find("out ") == std::string::npos);
    CHECK_CONTAINS(folder.listing(), ".callseal-tmp");
  }
  CHECK_EQ(folder.listing(), std::string(""));
  write_file({folder.path("out"), false, true}, kNew);
  CHECK_EQ(folder.listing(), std::string("out"));
  CHECK(folder.read("out") == kNew);
}

TEST(file_is_for_its_owner_only) {
  ScratchFolder folder;
  mode_t mask = umask(0);
  write_file({folder.path("out"), false, true}, kNew);
  umask(mask);
  CHECK_EQ(status_of(folder.path("out")).st_mode & 07777, mode_t{0600});
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
  for (size_t length : {1, 200, 224, 225, 226, 255}) {
    std::string name(length, 'x');
    write_file({folder.path(name), false, true}, kNew);
    CHECK(folder.read(name) == kNew);
    CHECK_EQ(folder.listing(), name);
    CHECK_EQ(unlink(folder.path(name).c_str()), 0);
  }
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

TEST(file_is_synced_before_and_its_directory_after_the_rename) {
  ScratchFolder folder;
  using Names = std::vector<std::string>;
  auto calls_of = [&](const OutputOptions& options) {
    SystemCalls calls;
    write_file(options, kNew);
    return calls.seen;
  };
  CHECK(calls_of({folder.path("a"), false, true}) == (Names{"pwrite", "fsync", "renameat2", "fsync"}));
  CHECK(calls_of({folder.path("a"), true, true}) == (Names{"pwrite", "fsync", "renameat", "fsync"}));
  CHECK(calls_of({folder.path("b"), false, false}) == (Names{"pwrite", "renameat2"}));
}

TEST(file_is_whole_or_untouched_whatever_call_fails) {
  for (bool replace : {false, true}) {
    for (size_t failing = 1;; ++failing) {
      ScratchFolder folder;
      if (replace) folder.write("out", kOld);
      SystemCalls calls;
      calls.before = [&](const std::string&) { return calls.seen.size() == failing ? EIO : 0; };
      bool failed = false;
      try {
        write_file({folder.path("out"), replace, true}, kNew);
      } catch (const Error& error) {
        failed = true;
        CHECK(error.code() == Code::kIo);
        CHECK_EQ(error.errno_name(), std::string("EIO"));
      }
      if (failing == 4) {  // the directory's sync: too late to take the rename back
        CHECK(failed && folder.read("out") == kNew);
      } else if (failed) {
        CHECK_EQ(folder.listing(), std::string(replace ? "out" : ""));
        if (replace) CHECK(folder.read("out") == kOld);
      } else {
        CHECK_EQ(failing, size_t{5});
        break;
      }
    }
  }
}

TEST(file_takes_no_name_that_was_taken_meanwhile) {
  ScratchFolder folder;
  for (bool like_nfs : {false, true}) {
    folder.write("out", kOld);
    CHECK_EQ(unlink(folder.path("out").c_str()), 0);
    SystemCalls calls;
    calls.before = [&](const std::string& name) { return like_nfs && name == "renameat2" ? EINVAL : 0; };
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

TEST(input_is_a_regular_file) {
  ScratchFolder folder;
  CHECK_EQ(mkdir(folder.path("directory").c_str(), 0700), 0);
  CHECK_EQ(mkfifo(folder.path("fifo").c_str(), 0600), 0);
  CHECK_EQ(symlink("loop", folder.path("loop").c_str()), 0);
  Error error = CHECK_THROWS_CODE(InputFile(folder.path("directory")), Code::kInvalidArgument);
  CHECK_CONTAINS(error.what(), "is a directory");
  // Nobody writes to the FIFO: waiting for one would hang here.
  error = CHECK_THROWS_CODE(InputFile(folder.path("fifo")), Code::kInvalidArgument);
  CHECK_CONTAINS(error.what(), "not a regular file");
  CHECK_THROWS_CODE(InputFile("/dev/null"), Code::kInvalidArgument);
  error = CHECK_THROWS_CODE(InputFile(folder.path("absent")), Code::kIo);
  CHECK_EQ(error.errno_name(), std::string("ENOENT"));
  CHECK_EQ(error.path(), folder.path("absent"));
  error = CHECK_THROWS_CODE(InputFile(folder.path("loop")), Code::kIo);
  CHECK_EQ(error.errno_name(), std::string("ELOOP"));
}

TEST(input_is_read_whole_or_not) {
  ScratchFolder folder;
  Bytes content = sample_bytes(1000), out(1000);
  InputFile file(folder.write("in", content));
  CHECK_EQ(file.size(), uint64_t{1000});
  file.read_exactly(0, out.data(), 1000);
  CHECK(out == content);
  CHECK_THROWS_CODE(file.read_exactly(1000, out.data(), 1), Code::kInputChanged);
  CHECK_THROWS_CODE(file.read_exactly(1, out.data(), 1000), Code::kInputChanged);
  file.read_exactly(990, out.data(), 10);
  CHECK(std::equal(out.begin(), out.begin() + 10, content.begin() + 990));
  file.read_exactly(0, out.data(), 0);
  file.require_unchanged();
}

TEST(input_is_read_at_any_place) {
  ScratchFolder folder;
  Bytes content = sample_bytes(1000), out(1000);
  InputFile file(folder.write("in", content));
  CHECK_EQ(file.read_at(500, out.data(), 100), size_t{100});
  CHECK(std::equal(out.begin(), out.begin() + 100, content.begin() + 500));
  CHECK_EQ(file.read_at(990, out.data(), 100), size_t{10});
  CHECK_EQ(file.read_at(1000, out.data(), 100), size_t{0});
  CHECK_EQ(file.read_at(uint64_t{1} << 40, out.data(), 100), size_t{0});
}

TEST(input_notices_that_it_was_changed) {
  ScratchFolder folder;
  auto changed_by = [&](const std::function<void(const std::string&)>& change) {
    std::string path = folder.write("in", sample_bytes(1000));
    // A clock tick back, so that a change now has another time whatever the file system's resolution.
    timespec past[2] = {{1000000000, 0}, {1000000000, 0}};
    CHECK_EQ(utimensat(AT_FDCWD, path.c_str(), past, 0), 0);
    InputFile file(path);
    file.require_unchanged();
    change(path);
    CHECK_THROWS_CODE(file.require_unchanged(), Code::kInputChanged);
  };
  changed_by([](const std::string& path) { CHECK_EQ(truncate(path.c_str(), 999), 0); });
  changed_by([](const std::string& path) { CHECK_EQ(truncate(path.c_str(), 1001), 0); });
  changed_by([](const std::string& path) {  // same length, other bytes
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.put('x');
  });
}

}  // namespace
}  // namespace callseal::test
