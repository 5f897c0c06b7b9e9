// What one cipher does in a protected record: IV, ciphertext and inner tag (docs/keys.md, "Protected record").
#pragma once

#include <memory>
#include <optional>

#include "bytes.h"
#include "suite.h"

namespace callseal {

constexpr size_t kInnerTagLength = 16;
// Of one plaintext: EVP lengths are int.
constexpr size_t kMaxRecordText = size_t{1} << 30;

// Under one working key, with contexts prepared for many records: one thread at a time.
class RecordCipher {
 public:
  virtual ~RecordCipher() = default;

  // Bytes beyond the plaintext, at most and at least.
  virtual size_t max_overhead() const = 0;
  virtual size_t min_overhead() const = 0;
  // Bytes from IV to inner tag, both included.
  virtual size_t sealed_length(size_t plaintext) const = 0;

  // `record` begins with a header of `header_length` bytes; writes IV, ciphertext and inner tag after it.
  virtual void seal(uint8_t* record, size_t header_length, ByteView plaintext) = 0;
  // `record` is everything up to the inner tag and begins with a header of `header_length` bytes, which it is longer
  // than. Writes the plaintext, at most record.size() − header_length − min_overhead() bytes, and returns its length;
  // nothing, and clears `out`, when the record was altered.
  virtual std::optional<size_t> open(ByteView record, size_t header_length, uint8_t* out) = 0;
};

// `key` is 32 bytes of AES key.
std::unique_ptr<RecordCipher> make_gcm_record_cipher(ByteView key);
// `key` is 24 bytes of 3DES key and 32 of HMAC key.
std::unique_ptr<RecordCipher> make_triple_des_record_cipher(ByteView key, HashKind hash);

}  // namespace callseal
