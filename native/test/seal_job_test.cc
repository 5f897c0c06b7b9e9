#include "seal_job.h"

#include <errno.h>
#include <unistd.h>

#include <functional>

#include "seal_paths.h"
#include "system_calls.h"

namespace callseal::test {
namespace {

const Bytes kPlain = sample_bytes(10000);
const Bytes kOther = sample_bytes(5, 9);

TEST(seal_leaves_the_encrypted_file_alone) {
  for (bool unnamed : {true, false}) {
    ScratchFolder folder;
    SystemCalls calls;
    calls.unnamed_files = unnamed;
    std::string in = folder.write("in", kPlain);
    const timespec times[2] = {{1, 2}, {1500000000, 123456789}};
    CHECK_EQ(utimensat(AT_FDCWD, in.c_str(), times, 0), 0);
    if (geteuid() == 0) CHECK_EQ(chown(in.c_str(), 1234, 5678), 0);
    const SealResult result = seal(folder);
    CHECK(result.leased);
    CHECK_EQ(result.input_bytes, lengths_of(kPlain).input_bytes);
    CHECK_EQ(result.output_bytes, lengths_of(kPlain).output_bytes);
    CHECK_EQ(folder.listing(), std::string("out"));
    check_sealed(folder, "out", kPlain);
    struct stat status {};
    CHECK_EQ(stat(folder.path("out").c_str(), &status), 0);
    CHECK_EQ(status.st_mode & 07777, mode_t{0600});
    CHECK(same_time(status.st_mtim, times[1]));
    if (geteuid() == 0) CHECK(status.st_uid == 1234 && status.st_gid == 5678);
  }
}

TEST(seal_syncs_each_step_before_the_next) {
  ScratchFolder folder;
  folder.write("in", kPlain);
  SystemCalls calls;
  seal(folder);
  std::vector<std::string> steps = {"pwrite", "fsync", "linkat", "renameat", "fsync", "unlinkat", "fsync"};
  if (geteuid() == 0) steps.insert(steps.begin() + 1, "fchown");
  CHECK(calls.seen == steps);
}

TEST(seal_refuses_a_file_with_another_name) {
  ScratchFolder folder;
  std::string in = folder.write("in", kPlain);
  CHECK_EQ(link(in.c_str(), folder.path("second").c_str()), 0);
  Error error = CHECK_THROWS_CODE(seal(folder), Code::kInvalidArgument);
  CHECK_CONTAINS(error.what(), "hard links");
  CHECK_EQ(rename(folder.path("second").c_str(), folder.path("target").c_str()), 0);
  CHECK_EQ(unlink(in.c_str()), 0);
  CHECK_EQ(symlink("target", in.c_str()), 0);
  error = CHECK_THROWS_CODE(seal(folder), Code::kInvalidArgument);
  CHECK_CONTAINS(error.what(), "symbolic link");
  CHECK_EQ(folder.listing(), std::string("in target"));
}

TEST(seal_refuses_a_file_that_is_its_own_output) {
  ScratchFolder folder;
  SealRequest request = request_for(folder);
  request.output = folder.write("in", kPlain);
  CHECK_THROWS_CODE(seal_request(request), Code::kInvalidArgument);
  CHECK(folder.read("in") == kPlain);
}

TEST(seal_refuses_a_file_that_is_written) {
  ScratchFolder folder;
  std::string in = folder.write("in", kPlain);
  {
    Descriptor writer(open(in.c_str(), O_WRONLY | O_CLOEXEC));
    CHECK_THROWS_CODE(seal(folder), Code::kInputBusy);
  }
  {
    SealSource other(request_for(folder));  // another process that seals it
    Error error = CHECK_THROWS_CODE(seal(folder), Code::kInputBusy);
    CHECK_CONTAINS(error.what(), "locked");
  }
  seal(folder);
}

// Without leases, the file's age decides.
TEST(seal_waits_for_quiet_where_there_is_no_lease) {
  for (int failure : {EINVAL, EACCES, EPERM, EOPNOTSUPP, ENOLCK}) {
    ScratchFolder folder;
    SystemCalls calls;
    calls.lease_failure = failure;
    std::string in = folder.write("in", kPlain);
    SealRequest request = request_for(folder);
    request.quiet_for = int64_t{3600} * 1'000'000'000;
    CHECK_THROWS_CODE(seal_request(request), Code::kInputBusy);
    const timespec future[2] = {{0, UTIME_OMIT}, {time(nullptr) + 86400, 0}};
    CHECK_EQ(utimensat(AT_FDCWD, in.c_str(), future, 0), 0);
    CHECK_THROWS_CODE(seal_request(request), Code::kInputBusy);
    const timespec past[2] = {{0, UTIME_OMIT}, {time(nullptr) - 3601, 0}};
    CHECK_EQ(utimensat(AT_FDCWD, in.c_str(), past, 0), 0);
    request.require_lease = true;
    CHECK_THROWS_CODE(seal_request(request), Code::kIo);
    request.require_lease = false;
    CHECK(!seal_request(request).leased);
    CHECK_EQ(folder.listing(), std::string("out"));
  }
}

FileStamp stamp_of(const std::string& path) {
  struct stat status {};
  CHECK_EQ(stat(path.c_str(), &status), 0);
  auto nanoseconds = [](const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; };
  return {status.st_ino, static_cast<uint64_t>(status.st_size), nanoseconds(status.st_mtim),
          nanoseconds(status.st_ctim)};
}

TEST(seal_believes_who_has_watched_the_file) {
  ScratchFolder folder;
  SystemCalls calls;
  calls.lease_failure = EINVAL;
  std::string in = folder.write("in", kPlain);
  const timespec future[2] = {{0, UTIME_OMIT}, {time(nullptr) + 86400, 0}};
  CHECK_EQ(utimensat(AT_FDCWD, in.c_str(), future, 0), 0);
  SealRequest request = request_for(folder);
  request.quiet_for = 1;
  for (int field = 0; field < 4; ++field) {
    FileStamp stamp = stamp_of(in);
    (field == 0 ? stamp.inode : stamp.size) += field < 2 ? 1 : 0;
    (field == 2 ? stamp.mtime : stamp.ctime) += field < 2 ? 0 : 1;
    request.observed = stamp;
    CHECK_THROWS_CODE(seal_request(request), Code::kInputBusy);
  }
  request.observed = stamp_of(in);
  seal_request(request);
  CHECK_EQ(folder.listing(), std::string("out"));
}

// Seals with `disturb` run before the `nth` call of that name.
void seal_disturbed(const ScratchFolder& folder, const std::string& name, size_t nth,
                    const std::function<void()>& disturb) {
  SystemCalls calls;
  calls.before = [&](const std::string& called) {
    if (called == name && calls.count(name) == nth) disturb();
    return 0;
  };
  seal(folder);
}

TEST(seal_robs_no_writer_that_comes_meanwhile) {
  struct Moment {
    const char* call;
    size_t nth;
  };
  // Before and after the output has its name, and when the plaintext has lost its own.
  for (const Moment& moment : {Moment{"pwrite", 1}, Moment{"fsync", 1}, Moment{"linkat", 1}, Moment{"renameat", 1}}) {
    ScratchFolder folder;
    std::string in = folder.write("in", kPlain);
    auto open_for_writing = [&] {
      CHECK_EQ(open(in.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC), -1);
      CHECK_EQ(errno, EWOULDBLOCK);
    };
    CHECK_THROWS_CODE(seal_disturbed(folder, moment.call, moment.nth, open_for_writing), Code::kInputBusy);
    CHECK_EQ(folder.listing(), std::string("in"));
    CHECK(folder.read("in") == kPlain);
    Descriptor writer(open(in.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    CHECK(writer.get() >= 0);
  }
}

TEST(seal_discards_the_output_of_a_file_that_changes) {
  struct Change {
    const char* name;
    std::function<void(const std::string&)> make;
  };
  const Change changes[] = {
      {"truncated", [](const std::string& path) { CHECK_EQ(truncate(path.c_str(), 9), 0); }},
      {"linked", [](const std::string& path) { CHECK_EQ(link(path.c_str(), (path + "2").c_str()), 0); }},
      {"touched", [](const std::string& path) { CHECK_EQ(utimensat(AT_FDCWD, path.c_str(), nullptr, 0), 0); }},
      {"mode", [](const std::string& path) { CHECK_EQ(chmod(path.c_str(), 0640), 0); }},
  };
  for (const Change& change : changes) {
    ScratchFolder folder;
    std::string in = folder.write("in", kPlain);
    const timespec past[2] = {{1000000000, 0}, {1000000000, 0}};
    CHECK_EQ(utimensat(AT_FDCWD, in.c_str(), past, 0), 0);
    usleep(20'000);  // another tick of the clock that ctime is taken from
    SystemCalls calls;
    calls.lease_failure = EINVAL;
    calls.before = [&](const std::string& name) {
      if (name == "fsync" && calls.count(name) == 1) change.make(in);
      return 0;
    };
    CHECK_THROWS_CODE(seal(folder), Code::kInputChanged);
    CHECK(folder.listing().find("out") == std::string::npos);
    CHECK(folder.listing().find("in") == 0);
  }
}

TEST(seal_never_removes_a_newcomer) {
  ScratchFolder folder;
  std::string in = folder.write("in", kPlain);
  folder.write("other", kOther);
  auto newcomer = [&] { CHECK_EQ(rename(folder.path("other").c_str(), in.c_str()), 0); };
  Error error = CHECK_THROWS_CODE(seal_disturbed(folder, "renameat", 1, newcomer), Code::kInputChanged);
  CHECK(folder.read("in") == kOther);
  // The old file is gone, by the newcomer's doing. What is left of it is no newcomer's encryption.
  CHECK_EQ(folder.listing(), std::string("in out"));
  check_sealed(folder, "out", kPlain);
  CHECK_EQ(mode_of(folder.path("out")), mode_t{0600});
}

TEST(seal_keeps_the_last_copy_of_a_file_that_is_deleted) {
  ScratchFolder folder;
  std::string in = folder.write("in", kPlain);
  CHECK_THROWS_CODE(seal_disturbed(folder, "renameat", 1, [&] { unlink(in.c_str()); }), Code::kInputChanged);
  CHECK_EQ(folder.listing(), std::string("out"));
  check_sealed(folder, "out", kPlain);
}

TEST(seal_leaves_no_second_copy_of_a_file_that_is_renamed) {
  ScratchFolder folder;
  std::string in = folder.write("in", kPlain);
  auto move = [&] { CHECK_EQ(rename(in.c_str(), folder.path("moved").c_str()), 0); };
  CHECK_THROWS_CODE(seal_disturbed(folder, "renameat", 1, move), Code::kInputChanged);
  CHECK_EQ(folder.listing(), std::string("moved"));
  CHECK(folder.read("moved") == kPlain);
}

TEST(seal_keeps_a_file_that_is_given_another_name) {
  ScratchFolder folder;
  std::string in = folder.write("in", kPlain);
  SystemCalls calls;
  calls.before = [&](const std::string& name) {
    if (name != "renameat" || calls.count(name) != 1) return 0;
    CHECK_EQ(link(in.c_str(), folder.path("kept").c_str()), 0);
    return 0;
  };
  CHECK_THROWS_CODE(seal(folder), Code::kInputChanged);
  CHECK_EQ(folder.listing(), std::string("in kept"));
}

TEST(seal_waits_for_quiet_when_the_time_is_beyond_counting) {
  ScratchFolder folder;
  SystemCalls calls;
  calls.lease_failure = EINVAL;
  std::string in = folder.write("in", kPlain);
  const timespec future[2] = {{0, UTIME_OMIT}, {15'000'000'000, 0}};
  CHECK_EQ(utimensat(AT_FDCWD, in.c_str(), future, 0), 0);
  SealRequest request = request_for(folder);
  request.quiet_for = 1'000'000'000;
  CHECK_THROWS_CODE(seal_request(request), Code::kInputBusy);
}

TEST(seal_gives_the_name_back_beside_a_newcomer) {
  ScratchFolder folder;
  folder.write("in", kPlain);
  SystemCalls calls;
  calls.before = [&](const std::string& name) {
    if (name != "fsync" || calls.count("renameat") == 0) return 0;
    folder.write("in", kOther);  // while the directory is synced
    return EIO;
  };
  CHECK_THROWS_CODE(seal(folder), Code::kIo);
  CHECK_EQ(folder.listing(), std::string("in in.1"));
  CHECK(folder.read("in") == kOther);
  CHECK(folder.read("in.1") == kPlain);
}

TEST(seal_is_done_or_undone_whatever_call_fails) {
  for (bool unnamed : {true, false}) {
    for (size_t failing = 1, reached = failing; reached >= failing; ++failing) {
      ScratchFolder folder;
      folder.write("in", kPlain);
      SystemCalls calls;
      calls.unnamed_files = unnamed;
      calls.before = [&](const std::string&) { return calls.seen.size() == failing ? EIO : 0; };
      bool failed = false;
      try {
        seal(folder);
      } catch (const Error& error) {
        failed = true;
        CHECK_EQ(error.errno_name(), std::string("EIO"));
      }
      reached = calls.seen.size();
      CHECK_EQ(failed, reached >= failing);
      const bool undone = folder.listing() == "in";
      if (undone) {
        CHECK(failed && folder.read("in") == kPlain);
      } else {
        CHECK_EQ(folder.listing(), std::string("out"));
        check_sealed(folder, "out", kPlain);
      }
    }
  }
}

TEST(seal_recognises_what_it_has_done_before) {
  ScratchFolder folder;
  folder.write("in", kPlain);
  seal_halfway(folder);
  CHECK_THROWS_CODE(seal(folder), Code::kOutputExists);
  const SealResult result = finish(folder, kPlain);
  CHECK_EQ(result.output_bytes, lengths_of(kPlain).output_bytes);
  CHECK(result.leased);
  CHECK_EQ(folder.listing(), std::string("out"));
  CHECK_EQ(mode_of(folder.path("out")), mode_t{0600});
  check_sealed(folder, "out", kPlain);
}

TEST(seal_takes_no_other_file_for_what_it_has_done) {
  ScratchFolder folder;
  std::string in = folder.write("in", kPlain), out = folder.path("out");
  seal_halfway(folder);
  auto refused = [&] {
    CHECK_THROWS_CODE(finish(folder, kPlain), Code::kOutputExists);
    CHECK(folder.read("in") == kPlain);
    CHECK_EQ(folder.listing(), std::string("in out"));
  };
  CHECK_EQ(chmod(out.c_str(), 0600), 0);  // of a file whose plaintext is gone: the new one only looks like it
  refused();
  CHECK_EQ(chmod(out.c_str(), 01600), 0);
  CHECK_THROWS_CODE(finish(folder, sample_bytes(9999)), Code::kOutputExists);
  struct stat status {};
  CHECK_EQ(stat(out.c_str(), &status), 0);
  const timespec right = status.st_mtim;
  for (long shift : {1L, -1L}) {
    const timespec times[2] = {{0, UTIME_OMIT},
                               {right.tv_sec, (right.tv_nsec + shift + 1'000'000'000) % 1'000'000'000}};
    CHECK_EQ(utimensat(AT_FDCWD, out.c_str(), times, 0), 0);
    refused();
  }
  const timespec seconds[2] = {{0, UTIME_OMIT}, {right.tv_sec, 0}};  // as a coarser file system keeps it
  CHECK_EQ(utimensat(AT_FDCWD, out.c_str(), seconds, 0), 0);
  finish(folder, kPlain);
  CHECK_EQ(folder.listing(), std::string("out"));
}

}  // namespace
}  // namespace callseal::test
