// Jobs so large that several threads share them.

#include <errno.h>

#include <atomic>

#include "crew.h"
#include "error.h"
#include "file_job_paths.h"
#include "floe_body.h"
#include "scratch.h"
#include "system_calls.h"
#include "test.h"

namespace callseal::test {
namespace {

constexpr size_t kSegment = 65536;
constexpr size_t kStep = kSegment - kFloeSegmentOverhead;
constexpr size_t kBlockSegments = 4;      // 256 KiB of encrypted bytes
constexpr size_t kSharedFromBlocks = 32;  // fewer are not shared

size_t body_start() {
  return kHeader.size() + kFloeHeaderLength;
}

size_t segment_start(size_t index) {
  return body_start() + index * kSegment;
}

// Forty blocks, the last of them short and ended by a short segment.
constexpr size_t kSegments = 40 * kBlockSegments - 2;

Bytes sealed_sample(const ScratchFolder& folder) {
  encrypt(folder.write("in", sample_bytes((kSegments - 1) * kStep + 100)), folder.path("sealed"), kSegment);
  return folder.read("sealed");
}

TEST(shared_file_job_round_trips_any_number_of_segments) {
  ScratchFolder folder;
  const Bytes sample = sample_bytes(34 * kBlockSegments * kStep);
  for (size_t blocks : {kSharedFromBlocks - 1, kSharedFromBlocks, kSharedFromBlocks + 1}) {
    for (size_t size : {blocks * kBlockSegments * kStep - 1, blocks * kBlockSegments * kStep,
                        blocks * kBlockSegments * kStep + 1, blocks * kBlockSegments * kStep + kStep}) {
      const Bytes plaintext(sample.begin(), sample.begin() + static_cast<ptrdiff_t>(size));
      FileJobResult encrypted = encrypt(folder.write("in", plaintext), folder.path("sealed"), kSegment, true);
      CHECK_EQ(encrypted.output_bytes, kHeader.size() + new_message(kSegment).encrypted_length(size));
      CHECK_EQ(std::filesystem::file_size(folder.path("sealed")), encrypted.output_bytes);
      CHECK_EQ(decrypt(folder.path("sealed"), std::nullopt).output_bytes, uint64_t{size});
      CHECK_EQ(decrypt(folder.path("sealed"), folder.path("out"), true).output_bytes, uint64_t{size});
      CHECK(folder.read("out") == plaintext);
    }
  }
}

TEST(shared_file_job_writes_what_buffers_read) {
  ScratchFolder folder;
  const Bytes sealed = sealed_sample(folder);
  const ByteView body = ByteView(sealed).subview(kHeader.size(), sealed.size() - kHeader.size());
  const FloeMessage message = FloeMessage::open(sample_key(), kAad, body.subview(0, kFloeHeaderLength));
  Bytes out(body.size());
  out.resize(decrypt_floe_body(message, body, out.data()));
  CHECK(out == folder.read("in"));
}

// Neither authenticating alone nor decrypting accepts `bytes`; returns the message.
std::string refusal(const ScratchFolder& folder, const Bytes& bytes, Code code) {
  const std::string path = folder.write("bad", bytes);
  const OutputOptions out{folder.path("out"), false, false};
  JobControl control;
  const std::string alone = CHECK_THROWS_CODE(decrypt_paths(path, kHeader.size(), std::nullopt, control), code).what();
  CHECK_EQ(std::string(CHECK_THROWS_CODE(decrypt_paths(path, kHeader.size(), out, control), code).what()), alone);
  CHECK_EQ(folder.listing(), std::string("bad in sealed"));
  return alone;
}

TEST(shared_file_job_names_the_first_damaged_segment) {
  ScratchFolder folder;
  const Bytes sealed = sealed_sample(folder);
  for (size_t first : {size_t{0}, size_t{1}, kBlockSegments - 1, kBlockSegments, kSegments / 2, kSegments - 1}) {
    Bytes damaged = sealed;
    for (size_t index = first; index < kSegments; index += 3) damaged[segment_start(index) + 50] ^= 1;
    CHECK_EQ(refusal(folder, damaged, Code::kTampered), "segment " + std::to_string(first) + " fails authentication");
  }
}

TEST(shared_file_job_refuses_segments_that_changed_places) {
  ScratchFolder folder;
  const Bytes sealed = sealed_sample(folder);
  Bytes swapped = sealed;
  std::swap_ranges(swapped.begin() + static_cast<ptrdiff_t>(segment_start(50)),
                   swapped.begin() + static_cast<ptrdiff_t>(segment_start(51)),
                   swapped.begin() + static_cast<ptrdiff_t>(segment_start(90)));
  CHECK_EQ(refusal(folder, swapped, Code::kTampered), std::string("segment 50 fails authentication"));
}

TEST(shared_file_job_tells_truncated_from_tampered) {
  ScratchFolder folder;
  const Bytes sealed = sealed_sample(folder);
  const auto cut = [&](size_t length) {
    return Bytes(sealed.begin(), sealed.begin() + static_cast<ptrdiff_t>(length));
  };
  for (size_t index = 1; index < kSegments; index += index < 6 ? 1 : kBlockSegments / 2) {
    for (size_t length : {segment_start(index) - 1, segment_start(index), segment_start(index) + 3}) {
      const size_t incomplete = length < segment_start(index) ? index - 1 : index;
      CHECK_CONTAINS(refusal(folder, cut(length), Code::kTruncated),
                     "before segment " + std::to_string(incomplete) + " is");
    }
  }
  refusal(folder, cut(sealed.size() - 1), Code::kTruncated);
}

TEST(shared_file_job_refuses_bytes_after_the_last_segment) {
  ScratchFolder folder;
  Bytes longer = sealed_sample(folder);
  const size_t whole = longer.size();
  for (size_t extra : {size_t{1}, kSegment, 9 * kSegment}) {
    longer.resize(whole + extra);
    CHECK_EQ(refusal(folder, longer, Code::kTampered), std::to_string(extra) + " bytes follow the last segment");
  }
}

// Each job with `calls` announcing; `check` judges how it failed.
template <typename Check>
void both_jobs(const ScratchFolder& folder, SystemCalls& calls, JobControl& encrypting, JobControl& decrypting,
               Check&& check) {
  const OutputOptions out{folder.path("out"), false, false};
  check([&] { encrypt_paths(folder.path("in"), kHeader, new_message(kSegment), out, encrypting); });
  calls.seen.clear();
  check([&] { decrypt_paths(folder.path("sealed"), kHeader.size(), out, decrypting); });
}

TEST(shared_file_job_that_is_cancelled_midway_leaves_nothing) {
  ScratchFolder folder;
  const Bytes sealed = sealed_sample(folder);
  JobControl encrypting, decrypting;
  SystemCalls calls;
  calls.before = [&](const std::string& name) {
    if (name == "pwrite" && calls.count("pwrite") == 10) {
      encrypting.cancel();
      if (encrypting.progress() > 0 && decrypting.total() > 0) decrypting.cancel();
    }
    return 0;
  };
  both_jobs(folder, calls, encrypting, decrypting, [&](const auto& job) { CHECK_THROWS_CODE(job(), Code::kAborted); });
  for (const JobControl* control : {&encrypting, &decrypting}) {
    CHECK(control->progress() > 0 && control->progress() < control->total());
  }
  CHECK_EQ(folder.listing(), std::string("in sealed"));
}

TEST(shared_file_job_leaves_nothing_whatever_write_fails) {
  ScratchFolder folder;
  sealed_sample(folder);
  for (int error : {ENOSPC, EIO}) {
    for (size_t failing : {1, 2, 3, 20, 40}) {
      JobControl encrypting, decrypting;
      SystemCalls calls;
      calls.before = [&](const std::string& name) {
        return name == "pwrite" && calls.count("pwrite") >= failing ? error : 0;
      };
      both_jobs(folder, calls, encrypting, decrypting, [&](const auto& job) {
        const Error thrown = CHECK_THROWS_CODE(job(), Code::kIo);
        CHECK_EQ(thrown.errno_name(), std::string(error == EIO ? "EIO" : "ENOSPC"));
      });
      CHECK_EQ(folder.listing(), std::string("in sealed"));
    }
  }
}

TEST(shared_file_job_ends_at_once_without_space) {
  ScratchFolder folder;
  sealed_sample(folder);
  JobControl encrypting, decrypting;
  SystemCalls calls;
  calls.before = [](const std::string& name) { return name == "fallocate" ? ENOSPC : 0; };
  both_jobs(folder, calls, encrypting, decrypting, [&](const auto& job) {
    CHECK_THROWS_CODE(job(), Code::kIo);
    CHECK_EQ(calls.count("pwrite"), size_t{0});
  });
  CHECK_EQ(folder.listing(), std::string("in sealed"));
}

TEST(shared_file_job_sets_space_aside_for_what_is_proved_to_be_there) {
  ScratchFolder folder;
  const Bytes whole = sealed_sample(folder);
  const OutputOptions out{folder.path("out"), false, false};
  JobControl control;
  SystemCalls calls;
  decrypt_paths(folder.path("sealed"), kHeader.size(), out, control);
  CHECK_EQ(calls.count("fallocate"), size_t{1});
  std::filesystem::remove(folder.path("out"));

  Bytes longer = whole;
  longer.resize(whole.size() + 9 * kSegment);
  const size_t last = segment_start((longer.size() - body_start() - 1) / kSegment);
  for (bool marked : {false, true}) {
    if (marked) put_u32be(longer.data() + last, static_cast<uint32_t>(longer.size() - last));
    calls.seen.clear();
    refusal(folder, longer, Code::kTampered);
    CHECK_EQ(calls.count("fallocate"), size_t{0});
  }
}

TEST(shared_file_job_survives_short_and_interrupted_writes) {
  ScratchFolder folder;
  const Bytes plaintext = sample_bytes((kSegments - 1) * kStep);
  folder.write("in", plaintext);
  {
    SystemCalls calls;
    calls.longest_write = 100000;
    calls.before = [&](const std::string&) { return calls.seen.size() % 3 == 0 ? EINTR : 0; };
    JobControl encrypting, decrypting;
    encrypt_paths(folder.path("in"), kHeader, new_message(kSegment), {folder.path("sealed"), false, false}, encrypting);
    decrypt_paths(folder.path("sealed"), kHeader.size(), OutputOptions{folder.path("out"), false, false}, decrypting);
  }
  CHECK(folder.read("out") == plaintext);
}

}  // namespace
}  // namespace callseal::test
