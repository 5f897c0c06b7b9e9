// The segments of one message in order, many at a time, on as many threads as are idle.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "body_digest.h"
#include "floe.h"

namespace callseal {

// How much one call may do. No segments are begun after the time; some are done whatever it says.
struct FloeEffort {
  unsigned threads = 1;
  std::chrono::microseconds time = std::chrono::hours(1);
};

// Either encrypts or decrypts. Calls must not overlap. Lengths count encrypted bytes, as a segment of no plaintext has
// some and so every step counts.
class FloeBody {
 public:
  // `digested`: digest() is asked for in the end.
  explicit FloeBody(const FloeMessage& message, bool digested = false) : message_(message) {
    if (digested) digest_.emplace();
  }
  FloeBody(const FloeBody&) = delete;
  FloeBody& operator=(const FloeBody&) = delete;

  const FloeMessage& message() const { return message_; }
  // The last segment was written, or read.
  bool finished() const { return finished_; }

  // Encrypts the segments that follow: `plaintext` is a multiple of message().plaintext_length(), or, when `last`, all
  // that is left of the message, as often as it takes. Writes to `out`, which holds all it could become, and returns
  // how many bytes it has written. kKeyUse after the last segment.
  size_t encrypt(SplitView plaintext, bool last, uint8_t* out, size_t capacity, const FloeEffort& effort);

  // Decrypts the segments that follow, as many as `body` has in full; the rest of it is ignored. Returns how many bytes
  // it has read; what it has written is shorter by 32 a segment. 0 when the next segment is not there in full. Stops
  // before a segment that is not authentic, and throws kTampered when that is the first, with no plaintext of it, nor
  // of any after it, left in `out`. kKeyUse after the last segment.
  size_t decrypt(SplitView body, uint8_t* out, size_t capacity, const FloeEffort& effort);

  // Of the encrypted segments so far. kKeyUse unless it was asked for at the beginning and the last segment is there.
  const BodyDigest& digest() const;

  // To work on single segments; not while another call runs.
  FloeCipher& cipher() { return cipher_of(0); }

 private:
  FloeCipher& cipher_of(unsigned member);
  // Calls `work(cipher, i)` for i from 0 to below `count`; returns how many it got to.
  uint64_t share(uint64_t count, const FloeEffort& effort, const std::function<void(FloeCipher&, uint64_t)>& work);
  size_t decrypt_one(SplitView segment, bool final, uint8_t* out);
  uint64_t decrypt_full(SplitView segments, uint64_t count, uint8_t* out, const FloeEffort& effort);

  const FloeMessage& message_;
  std::vector<std::unique_ptr<FloeCipher>> ciphers_;  // one a member of the crew
  std::optional<BodyDigest> digest_;
  uint64_t next_ = 0;
  bool finished_ = false;
};

// A whole plaintext → segments (without the header), message.encrypted_length(plaintext.size()) − 74 bytes.
void encrypt_floe_body(const FloeMessage& message, ByteView plaintext, uint8_t* out, unsigned threads = 1);

// A whole body with its header → plaintext. Returns the plaintext's length; `out` holds at least body.size() − 74
// bytes. kTruncated, kTampered; `out` is cleared on failure.
size_t decrypt_floe_body(const FloeMessage& message, ByteView body, uint8_t* out, unsigned threads = 1);

}  // namespace callseal
