// Jobs, streams and buffers that share the crew, and are cancelled from outside: for ThreadSanitizer.
#include <atomic>
#include <chrono>
#include <thread>

#include "crew.h"
#include "error.h"
#include "file_job_paths.h"
#include "floe_body.h"
#include "memory.h"
#include "seal_paths.h"
#include "test.h"
#include "together.h"

namespace callseal::test {
namespace {

constexpr unsigned kThreads = 6;
constexpr uint32_t kSegment = 65536;
// More than 32 blocks of 256 KiB: shared by the crew.
constexpr size_t kShared = size_t{10} << 20;

TEST(contention_of_file_jobs_for_the_crew) {
  ScratchFolder folder;
  const Bytes plaintext = sample_bytes(kShared);
  folder.write("in", plaintext);
  together(kThreads, [&](unsigned thread) {
    const std::string sealed = folder.path("sealed" + std::to_string(thread));
    const std::string opened = folder.path("opened" + std::to_string(thread));
    encrypt(folder.path("in"), sealed, kSegment);
    decrypt(sealed, opened);
    keep_freed_memory();
  });
  for (unsigned thread = 0; thread < kThreads; ++thread) {
    CHECK(folder.read("opened" + std::to_string(thread)) == plaintext);
  }
}

// Runs a job on a thread, cancels it after `delay` looks at its progress, and returns whether it was in time.
template <typename Job>
bool cancelled_after(int delay, JobControl& control, Job&& job) {
  std::atomic<bool> ended{false};
  bool aborted = false;
  std::thread worker([&]() {
    try {
      job();
    } catch (const Error& error) {
      aborted = error.code() == Code::kAborted;
    }
    ended = true;
  });
  for (int looks = 0; looks < delay || control.progress() == 0;) {
    if (ended) break;
    if (control.progress() > 0) ++looks;
    CHECK(control.progress() <= control.total() || control.total() == 0);
    std::this_thread::yield();
  }
  control.cancel();
  worker.join();
  return aborted;
}

TEST(contention_of_a_cancellation_with_its_job) {
  ScratchFolder folder;
  folder.write("in", sample_bytes(kShared));
  encrypt(folder.path("in"), folder.path("sealed"), kSegment);
  const OutputOptions out{folder.path("out"), false, false};
  int aborted = 0;
  for (int delay : {0, 1, 10, 100}) {
    for (bool encrypting : {true, false}) {
      JobControl control;
      const bool in_time = cancelled_after(delay, control, [&]() {
        if (encrypting) encrypt_paths(folder.path("in"), kHeader, new_message(kSegment), out, control);
        if (!encrypting) decrypt_paths(folder.path("sealed"), kHeader.size(), out, control);
      });
      aborted += in_time ? 1 : 0;
      CHECK_EQ(folder.listing(), std::string(in_time ? "in sealed" : "in out sealed"));
      if (!in_time) std::filesystem::remove(out.path);
    }
  }
  CHECK(aborted > 0);
}

TEST(contention_of_failures_in_one_job) {
  ScratchFolder folder;
  folder.write("in", sample_bytes(kShared));
  encrypt(folder.path("in"), folder.path("sealed"), kSegment);
  Bytes damaged = folder.read("sealed");
  for (size_t at = kHeader.size() + kFloeHeaderLength + 50; at < damaged.size(); at += kSegment) damaged[at] ^= 1;
  folder.write("damaged", damaged);
  const ByteView body = ByteView(damaged).subview(kHeader.size(), damaged.size() - kHeader.size());
  const FloeMessage message = FloeMessage::open(sample_key(), kAad, body.subview(0, kFloeHeaderLength));
  Bytes out(body.size());
  for (int round = 0; round < 30; ++round) {
    const Error of_job = CHECK_THROWS_CODE(decrypt(folder.path("damaged"), std::nullopt), Code::kTampered);
    CHECK_EQ(std::string(of_job.what()), std::string("segment 0 fails authentication"));
    CHECK_THROWS_CODE(decrypt_floe_body(message, body, out.data(), 4), Code::kTampered);
  }
}

TEST(contention_of_streams_for_the_crew_and_a_message_key) {
  const Bytes plaintext = sample_bytes(size_t{1} << 20);
  const FloeMessage message = new_message(4096);
  together(kThreads, [&](unsigned thread) {
    Bytes body(message.encrypted_length(plaintext.size())), out(body.size());
    std::copy(message.header().begin(), message.header().end(), body.begin());
    // One message, encrypted by all; each has a body of its own, as segments get IVs of their own.
    encrypt_floe_body(message, plaintext, body.data() + kFloeHeaderLength, 1 + thread % 4);
    if (thread % 2 == 1) body[body.size() / 2] ^= 1;
    const FloeMessage opened = FloeMessage::open(sample_key(), kAad, ByteView(body.data(), kFloeHeaderLength));
    if (thread % 2 == 1) {
      CHECK_THROWS_CODE(decrypt_floe_body(opened, body, out.data(), 4), Code::kTampered);
    } else {
      out.resize(decrypt_floe_body(opened, body, out.data(), 4));
      CHECK(out == plaintext);
    }
  });
}

TEST(contention_of_streams_that_run_out_of_time) {
  const Bytes plaintext = sample_bytes(size_t{1} << 20);
  const FloeMessage message = new_message(4096);
  together(kThreads, [&](unsigned) {
    Bytes body(message.encrypted_length(plaintext.size()));
    FloeBody segments(message, true);
    const size_t step = message.plaintext_length();
    size_t read = 0, written = 0;
    while (!segments.finished()) {
      const ByteView rest = ByteView(plaintext).subview(read, plaintext.size() - read);
      const size_t length = segments.encrypt(rest, true, body.data() + written, body.size() - written,
                                             {4, std::chrono::microseconds(200)});
      written += length;
      read += static_cast<size_t>(message.segments_in(length)) * step;
    }
    CHECK_EQ(written + kFloeHeaderLength, message.encrypted_length(plaintext.size()));
    segments.digest();
  });
}

TEST(contention_for_a_file_to_seal) {
  ScratchFolder folder;
  for (uint32_t round = 0; round < 4; ++round) {
    const Bytes plaintext = sample_bytes(100000, round);
    folder.write("in", plaintext);
    std::atomic<int> sealed{0};
    together(kThreads, [&](unsigned) {
      SealRequest request = request_for(folder);
      request.output = folder.path("out");
      try {
        seal_request(request);
        ++sealed;
      } catch (const Error& error) {
        CHECK(error.code() == Code::kInputBusy || error.code() == Code::kIo || error.code() == Code::kOutputExists ||
              error.code() == Code::kInputChanged);
      }
    });
    CHECK_EQ(sealed.load(), 1);
    CHECK_EQ(folder.listing(), std::string("out"));
    check_sealed(folder, "out", plaintext);
    std::filesystem::remove(folder.path("out"));
  }
}

}  // namespace
}  // namespace callseal::test
