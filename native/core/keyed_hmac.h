// HMAC (FIPS 198-1) under one key, prepared once for many messages.
#pragma once

#include <initializer_list>

#include "bytes.h"
#include "openssl_ptr.h"
#include "suite.h"

namespace callseal {

// One thread at a time: it is one context, used over and over.
class KeyedHmac {
 public:
  static constexpr size_t kMaxLength = 32;
  static constexpr size_t kMinTag = 16;

  KeyedHmac(HashKind hash, ByteView key);

  // Bytes of a tag: 32 for SHA-256, 20 for SHA-1.
  size_t length() const { return length_; }
  // Over the concatenation of `parts`. Writes length() bytes.
  void compute(std::initializer_list<ByteView> parts, uint8_t* out);
  // Constant-time. `tag` may be shortened, to no less than kMinTag bytes; false for other lengths.
  bool verify(std::initializer_list<ByteView> parts, ByteView tag);

 private:
  MacCtxPtr context_;
  size_t length_;
};

}  // namespace callseal
