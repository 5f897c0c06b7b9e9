#include "file_job_paths.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "error.h"
#include "floe_body.h"
#include "scratch.h"
#include "system_calls.h"
#include "test.h"

namespace callseal::test {
namespace {

void set_old_time(const std::string& path) {
  timespec past[2] = {{1000000000, 0}, {1000000000, 0}};
  CHECK_EQ(utimensat(AT_FDCWD, path.c_str(), past, 0), 0);
}

// A file of 3 MiB and a bit, so that a job reads it in several blocks; last changed long ago.
std::string large_input(const ScratchFolder& folder) {
  std::string path = folder.write("in", sample_bytes((size_t{3} << 20) + 5));
  set_old_time(path);
  return path;
}

// Encrypts, authenticates and decrypts the first `size` bytes of `sample`.
void check_round_trip(const ScratchFolder& folder, const Bytes& sample, size_t size, uint32_t segment_length) {
  const Bytes plaintext(sample.begin(), sample.begin() + static_cast<ptrdiff_t>(size));
  FileJobResult encrypted = encrypt(folder.write("in", plaintext), folder.path("sealed"), segment_length, true);
  CHECK_EQ(encrypted.input_bytes, uint64_t{size});
  CHECK_EQ(encrypted.output_bytes, kHeader.size() + new_message(segment_length).encrypted_length(size));
  CHECK_EQ(std::filesystem::file_size(folder.path("sealed")), encrypted.output_bytes);
  CHECK_EQ(decrypt(folder.path("sealed"), std::nullopt).output_bytes, uint64_t{size});
  FileJobResult decrypted = decrypt(folder.path("sealed"), folder.path("out"), true);
  CHECK_EQ(decrypted.input_bytes, encrypted.output_bytes);
  CHECK_EQ(decrypted.output_bytes, uint64_t{size});
  CHECK(folder.read("out") == plaintext);
  CHECK_EQ(folder.listing(), std::string("in out sealed"));
}

TEST(file_job_round_trips_sizes_and_segment_lengths) {
  ScratchFolder folder;
  constexpr size_t kBlock = size_t{256} << 10;  // of encrypted bytes between two system calls
  const Bytes sample = sample_bytes(9 * kBlock);
  for (uint32_t segment : {1024u, 4096u, 65536u, 262144u, 1048576u}) {
    const size_t step = segment - kFloeSegmentOverhead, block = std::max<size_t>(1, kBlock / segment) * step;
    for (size_t size : {size_t{0}, size_t{1}, step - 1, step, step + 1, block, block + 1, 2 * block, 2 * kBlock + 17}) {
      check_round_trip(folder, sample, size, segment);
    }
  }
}

TEST(file_job_round_trips_the_longest_segments) {
  ScratchFolder folder;
  check_round_trip(folder, sample_bytes(size_t{16} << 20), (size_t{16} << 20) - 31, 16777216);
}

TEST(file_job_writes_what_buffers_read) {
  ScratchFolder folder;
  Bytes plaintext = sample_bytes(100000);
  encrypt(folder.write("in", plaintext), folder.path("sealed"));
  Bytes sealed = folder.read("sealed");
  CHECK(std::equal(kHeader.begin(), kHeader.end(), sealed.begin()));
  ByteView body = ByteView(sealed).subview(kHeader.size(), sealed.size() - kHeader.size());
  FloeMessage message = FloeMessage::open(sample_key(), kAad, body.subview(0, kFloeHeaderLength));
  Bytes out(body.size());
  out.resize(decrypt_floe_body(message, body, out.data()));
  CHECK(out == plaintext);
}

TEST(file_job_that_was_cancelled_before_leaves_nothing) {
  ScratchFolder folder;
  JobControl control;
  control.cancel();
  std::string in = folder.write("in", sample_bytes(10));
  CHECK_THROWS_CODE(encrypt_paths(in, kHeader, new_message(4096), {folder.path("sealed"), false, true}, control),
                    Code::kAborted);
  CHECK_EQ(folder.listing(), std::string("in"));
}

// Runs `disturb` before the second block is written, which comes from the middle of the input.
template <typename Job>
void run_disturbed(const std::function<void()>& disturb, Job&& job) {
  SystemCalls calls;
  calls.before = [&](const std::string& name) {
    if (name == "pwrite" && calls.count("pwrite") == 2) disturb();
    return 0;
  };
  job();
  CHECK(!"the job was not disturbed");
}

TEST(file_job_that_is_cancelled_midway_leaves_nothing) {
  ScratchFolder folder;
  std::string in = large_input(folder);
  encrypt(in, folder.path("sealed"));
  JobControl encrypting, decrypting;
  OutputOptions out{folder.path("out"), false, true};
  CHECK_THROWS_CODE(run_disturbed([&] { encrypting.cancel(); },
                                  [&] { encrypt_paths(in, kHeader, new_message(4096), out, encrypting); }),
                    Code::kAborted);
  CHECK_THROWS_CODE(run_disturbed([&] { decrypting.cancel(); },
                                  [&] { decrypt_paths(folder.path("sealed"), kHeader.size(), out, decrypting); }),
                    Code::kAborted);
  for (const JobControl* control : {&encrypting, &decrypting}) {
    CHECK(control->progress() > 0 && control->progress() < (size_t{3} << 20));
  }
  CHECK_EQ(folder.listing(), std::string("in sealed"));
}

TEST(file_job_refuses_an_input_that_changes_meanwhile) {
  struct Change {
    const char* name;
    std::function<void(const std::string&)> make;
  };
  const Change changes[] = {
      {"shrinks below what was read", [](const std::string& path) { CHECK_EQ(truncate(path.c_str(), 10), 0); }},
      {"loses its last byte", [](const std::string& path) { CHECK_EQ(truncate(path.c_str(), (3 << 20) + 4), 0); }},
      {"grows", [](const std::string& path) { std::ofstream(path, std::ios::app) << "more"; }},
      {"changes behind the reader",
       [](const std::string& path) { std::fstream(path, std::ios::in | std::ios::out).put('x'); }},
      {"is truncated and written anew",
       [](const std::string& path) { std::ofstream(path) << std::string((size_t{3} << 20) + 5, 'y'); }},
  };
  for (const Change& change : changes) {
    ScratchFolder folder;
    std::string in = large_input(folder);
    for (bool in_place : {false, true}) {
      JobControl control;
      OutputOptions out{folder.path(in_place ? "in" : "out"), in_place, true};
      auto job = [&] { encrypt_paths(in, kHeader, new_message(4096), out, control); };
      CHECK_THROWS_CODE(run_disturbed([&] { change.make(in); }, job), Code::kInputChanged);
      CHECK_EQ(folder.listing(), std::string("in"));
      in = large_input(folder);
    }
  }
}

TEST(file_job_refuses_an_encrypted_input_that_changes_meanwhile) {
  ScratchFolder folder;
  encrypt(large_input(folder), folder.path("sealed"));
  set_old_time(folder.path("sealed"));
  JobControl control;
  OutputOptions out{folder.path("out"), false, true};
  auto job = [&] { decrypt_paths(folder.path("sealed"), kHeader.size(), out, control); };
  CHECK_THROWS_CODE(run_disturbed([&] { CHECK_EQ(truncate(folder.path("sealed").c_str(), 1 << 20), 0); }, job),
                    Code::kInputChanged);
  CHECK_EQ(folder.listing(), std::string("in sealed"));
}

TEST(file_job_in_place_replaces_the_input_once_complete) {
  ScratchFolder folder;
  Bytes plaintext = sample_bytes(100000);
  std::string path = folder.write("call", plaintext);
  if (geteuid() == 0) CHECK_EQ(chown(path.c_str(), 1234, 5678), 0);
  struct stat before {};
  CHECK_EQ(stat(path.c_str(), &before), 0);
  encrypt(path, path, 4096, true);
  struct stat after {};
  CHECK_EQ(stat(path.c_str(), &after), 0);
  CHECK(after.st_uid == before.st_uid && after.st_gid == before.st_gid);
  CHECK_EQ(after.st_mode & 07777, mode_t{0600});
  CHECK_EQ(folder.listing(), std::string("call"));
  decrypt(path, path, true);
  CHECK(folder.read("call") == plaintext);
  CHECK_EQ(stat(path.c_str(), &after), 0);
  CHECK(after.st_uid == before.st_uid && after.st_gid == before.st_gid);
  CHECK_EQ(folder.listing(), std::string("call"));
}

TEST(file_job_in_place_does_not_replace_a_newcomer) {
  ScratchFolder folder;
  std::string in = large_input(folder);
  JobControl control;
  auto newcomer = [&] {
    folder.write("other", sample_bytes(5));
    CHECK_EQ(rename(folder.path("other").c_str(), in.c_str()), 0);
  };
  auto encrypting = [&] { encrypt_paths(in, kHeader, new_message(4096), {in, false, true}, control); };
  CHECK_THROWS_CODE(run_disturbed(newcomer, encrypting), Code::kInputChanged);
  CHECK(folder.read("in") == sample_bytes(5));

  encrypt(large_input(folder), in, 4096, true);
  auto decrypting = [&] { decrypt_paths(in, kHeader.size(), OutputOptions{in, false, true}, control); };
  CHECK_THROWS_CODE(run_disturbed(newcomer, decrypting), Code::kInputChanged);
  CHECK(folder.read("in") == sample_bytes(5));
  CHECK_EQ(folder.listing(), std::string("in"));
}

// Runs `job` and disturbs it right before its first call of `name`.
template <typename Job>
void run_disturbed_at(const std::string& name, const std::function<void()>& disturb, Job&& job) {
  SystemCalls calls;
  calls.before = [&](const std::string& called) {
    if (called == name && calls.count(name) == 1) disturb();
    return 0;
  };
  job();
}

TEST(file_job_in_place_loses_nothing_that_comes_while_it_syncs_or_renames) {
  struct Disturbance {
    const char* before;
    bool newcomer;  // another file takes the name; else the input grows
  };
  for (const Disturbance& each : {Disturbance{"fsync", false}, Disturbance{"fsync", true},
                                  Disturbance{"renameat2", false}, Disturbance{"renameat2", true}}) {
    ScratchFolder folder;
    std::string in = large_input(folder);
    const Bytes before = folder.read("in");
    JobControl control;
    auto disturb = [&] {
      if (!each.newcomer) {
        std::ofstream(in, std::ios::app) << "LATE";
        return;
      }
      folder.write("other", sample_bytes(5));
      CHECK_EQ(rename(folder.path("other").c_str(), in.c_str()), 0);
    };
    auto job = [&] { encrypt_paths(in, kHeader, new_message(4096), {in, false, true}, control); };
    CHECK_THROWS_CODE(run_disturbed_at(each.before, disturb, job), Code::kInputChanged);
    Bytes expected = each.newcomer ? sample_bytes(5) : before;
    if (!each.newcomer) expected.insert(expected.end(), {'L', 'A', 'T', 'E'});
    CHECK(folder.read("in") == expected);
    CHECK_EQ(folder.listing(), std::string("in"));
  }
}

TEST(file_job_in_place_works_where_names_cannot_be_exchanged) {
  ScratchFolder folder;
  const Bytes plaintext = sample_bytes(5000);
  std::string path = folder.write("call", plaintext);
  {
    SystemCalls calls;
    calls.before = [](const std::string& name) { return name == "renameat2" ? EINVAL : 0; };
    encrypt(path, path, 4096, true);
  }
  CHECK(folder.read("call") != plaintext);
  decrypt(path, path, true);
  CHECK(folder.read("call") == plaintext);
  CHECK_EQ(folder.listing(), std::string("call"));
}

TEST(file_job_in_place_always_syncs) {
  ScratchFolder folder;
  std::string path = folder.write("call", sample_bytes(5000));
  SystemCalls calls;
  encrypt(path, path, 4096, true, false);
  CHECK_EQ(calls.count("fsync"), size_t{2});
}

TEST(file_job_in_place_needs_a_file_with_one_name) {
  ScratchFolder folder;
  Bytes plaintext = sample_bytes(100);
  std::string in = folder.write("in", plaintext);
  CHECK_EQ(link(in.c_str(), folder.path("second").c_str()), 0);
  CHECK_EQ(symlink("in", folder.path("symbolic").c_str()), 0);
  Error error = CHECK_THROWS_CODE(encrypt(in, in, 4096, true), Code::kInvalidArgument);
  CHECK_CONTAINS(error.what(), "hard links");
  for (const char* output : {"in", "symbolic"}) {
    error =
        CHECK_THROWS_CODE(encrypt(folder.path("symbolic"), folder.path(output), 4096, true), Code::kInvalidArgument);
    CHECK_CONTAINS(error.what(), "symbolic link");
  }
  CHECK(folder.read("in") == plaintext);
  CHECK_EQ(folder.listing(), std::string("in second symbolic"));
}

TEST(file_job_leaves_the_input_alone_whatever_call_fails) {
  ScratchFolder folder;
  std::string in = large_input(folder);
  const Bytes plaintext = folder.read("in");
  std::vector<std::string> calls_until_rename(13, "pwrite");  // blocks of 256 KiB
  calls_until_rename.insert(calls_until_rename.begin(), "fallocate");
  calls_until_rename.insert(calls_until_rename.end(), {"fchown", "fsync", "linkat", "renameat2"});
  for (size_t failing = 1; failing <= calls_until_rename.size(); ++failing) {
    SystemCalls calls;
    calls.before = [&](const std::string&) { return calls.seen.size() == failing ? ENOSPC : 0; };
    Error error = CHECK_THROWS_CODE(encrypt(in, in, 4096, true, true), Code::kIo);
    CHECK_EQ(error.errno_name(), std::string("ENOSPC"));
    CHECK(calls.seen.size() >= failing);
    CHECK(std::equal(calls.seen.begin(), calls.seen.begin() + failing, calls_until_rename.begin()));
    CHECK_EQ(folder.listing(), std::string("in"));
    CHECK(folder.read("in") == plaintext);
  }
  encrypt(in, in, 4096, true, true);
  CHECK(folder.read("in") != plaintext);
}

// Neither authenticating alone nor decrypting accepts `bytes`, and no output appears.
void check_refused(const ScratchFolder& folder, const Bytes& bytes, Code code) {
  std::string path = folder.write("bad", bytes);
  CHECK_THROWS_CODE(decrypt(path, std::nullopt), code);
  CHECK_THROWS_CODE(decrypt(path, folder.path("out")), code);
  CHECK_EQ(folder.listing(), std::string("bad in sealed"));
}

TEST(file_job_tells_truncated_from_tampered) {
  ScratchFolder folder;
  encrypt(folder.write("in", sample_bytes(20000)), folder.path("sealed"));
  const Bytes sealed = folder.read("sealed");
  const size_t body = kHeader.size() + kFloeHeaderLength;
  for (size_t length : {kHeader.size(), body - 1, body, body + 1, body + 4, body + 4095, body + 4096, body + 4 * 4096,
                        sealed.size() - 1}) {
    check_refused(folder, Bytes(sealed.begin(), sealed.begin() + static_cast<ptrdiff_t>(length)), Code::kTruncated);
  }
  for (size_t offset = kHeader.size(); offset < sealed.size(); offset += 1013) {
    Bytes changed = sealed;
    changed[offset] ^= 4;
    check_refused(folder, changed, Code::kTampered);
  }
  Bytes longer = sealed;
  longer.push_back(0);
  check_refused(folder, longer, Code::kTampered);
}

TEST(file_job_refuses_a_body_that_is_not_there) {
  ScratchFolder folder;
  std::string path = folder.write("in", sample_bytes(100));
  JobControl control;
  for (uint64_t offset : {uint64_t{27}, uint64_t{100}, uint64_t{101}, uint64_t{1} << 52, UINT64_MAX}) {
    CHECK_THROWS_CODE(decrypt_paths(path, offset, std::nullopt, control), Code::kTruncated);
  }
  CHECK_THROWS_CODE(decrypt_paths(path, 0, std::nullopt, control), Code::kTampered);
}

TEST(file_job_refuses_a_prefix) {
  ScratchFolder folder;
  const Bytes prefix = sample_bytes(8);
  InputFile with(folder.write("with", sample_bytes(100))), exactly(folder.write("exactly", prefix));
  InputFile without(folder.write("without", sample_bytes(100, 2))), part(folder.write("part", sample_bytes(7)));
  for (const InputFile* input : {&with, &exactly}) {
    Error error = CHECK_THROWS_CODE(refuse_prefix(*input, prefix), Code::kAlreadyEncrypted);
    CHECK_EQ(error.path(), input->path());
  }
  refuse_prefix(without, prefix);
  refuse_prefix(part, prefix);
}

TEST(file_job_refuses_outputs_before_it_works) {
  ScratchFolder folder;
  std::string in = folder.write("in", sample_bytes(100));
  folder.write("out", {});
  CHECK_THROWS_CODE(encrypt(in, folder.path("out")), Code::kOutputExists);
  CHECK_THROWS_CODE(encrypt(in, folder.path("missing/out")), Code::kIo);
  CHECK_THROWS_CODE(encrypt(folder.path("absent"), folder.path("new")), Code::kIo);
  CHECK_EQ(folder.listing(), std::string("in out"));
}

}  // namespace
}  // namespace callseal::test
