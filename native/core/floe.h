// FLOE, "Fast Lightweight Online Encryption" (ePrint 2025/2275, c2sp.org/FLOE): random-access authenticated encryption
// in segments, with AES-256-GCM and HKDF-Expand-SHA-384. Layout and derivations: docs/format.md section 5.
#pragma once

#include <array>
#include <cstdint>

#include "bytes.h"
#include "openssl_ptr.h"
#include "secret_key.h"

namespace callseal {

constexpr size_t kFloeHeaderLength = 74;
constexpr size_t kFloeSegmentOverhead = 32;  // mark 4, IV 12, tag 16
constexpr unsigned kFloeRotationBits = 20;   // a data key serves 2^20 segments

// Segments of a message with that much plaintext: at least one. `segment_length` counts encrypted bytes.
constexpr uint64_t floe_segment_count(uint64_t plaintext_bytes, size_t segment_length) {
  return plaintext_bytes == 0 ? 1 : (plaintext_bytes - 1) / (segment_length - kFloeSegmentOverhead) + 1;
}

// The state of one message: parameters, IV and the message key. Immutable, so any number of threads may share it.
class FloeMessage {
 public:
  // A fresh message with a random IV. `segment_length` counts encrypted bytes, above 32. `key` must be a floe key.
  static FloeMessage create(const SecretKey& key, ByteView aad, uint32_t segment_length,
                            unsigned rotation_bits = kFloeRotationBits);
  // The message that `header` (74 bytes) begins. kTampered unless the parameters are known, the segment length is
  // within [1024, 16777216] (any above 32 when `any_length`), and the header tag is right for `key` and `aad`.
  static FloeMessage open(const SecretKey& key, ByteView aad, ByteView header, bool any_length = false,
                          unsigned rotation_bits = kFloeRotationBits);

  const std::array<uint8_t, kFloeHeaderLength>& header() const { return header_; }
  ByteView header_view() const { return ByteView(header_.data(), header_.size()); }
  size_t segment_length() const { return segment_length_; }
  size_t plaintext_length() const { return segment_length_ - kFloeSegmentOverhead; }
  uint64_t segment_count(uint64_t plaintext_bytes) const {
    return floe_segment_count(plaintext_bytes, segment_length_);
  }
  uint64_t encrypted_length(uint64_t plaintext_bytes) const;
  // How many segments so many encrypted bytes are, the last of which may be short.
  uint64_t segments_in(uint64_t encrypted_bytes) const {
    return (encrypted_bytes + segment_length_ - 1) / segment_length_;
  }

 private:
  friend class FloeCipher;
  FloeMessage(ByteView aad, unsigned rotation_bits) : aad_(aad.copy()), rotation_bits_(rotation_bits) {}
  void expand(ByteView key, std::string_view purpose, ByteView suffix, uint8_t* out, size_t length) const;
  void derive_message_key(const SecretKey& key);
  void derive_data_key(uint64_t index, uint8_t* out) const;

  std::array<uint8_t, kFloeHeaderLength> header_{};
  Bytes aad_;
  SecretBytes message_key_;
  size_t segment_length_ = 0;
  unsigned rotation_bits_;
};

// Encrypts and decrypts single segments of a message. One per thread: it holds a cipher context and the current data
// key.
class FloeCipher {
 public:
  explicit FloeCipher(const FloeMessage& message);

  // Derives the data key of that segment now instead of when it is needed.
  void prepare(uint64_t index) { data_key(index); }
  // Writes plaintext.size() + 32 bytes. Non-final segments are full; the final one has 0…plaintext_length() bytes.
  void encrypt(uint64_t index, bool final, SplitView plaintext, uint8_t* out);
  // Writes segment.size() − 32 bytes, or throws kTampered with `out` cleared. A segment that is not final must be full;
  // the mark must say what `final` says.
  void decrypt(uint64_t index, bool final, SplitView segment, uint8_t* out);

 private:
  const uint8_t* data_key(uint64_t index);
  const FloeMessage& message_;
  CipherCtxPtr context_;
  SecretBytes data_key_;
  uint64_t data_key_epoch_ = ~uint64_t{0};
};

// What the mark at the start of a segment says. kTampered when it is neither "more follow" nor a possible length.
struct FloeMark {
  bool final;
  size_t length;
};
FloeMark read_floe_mark(const uint8_t* segment, size_t segment_length);

}  // namespace callseal
