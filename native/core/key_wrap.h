// AES-256-KWP (SP 800-38F section 6.3, RFC 5649).
#pragma once

#include <optional>

#include "bytes.h"

namespace callseal {

// Bytes of a wrapped key of `length` bytes: rounded up to whole half-blocks, and one more.
constexpr size_t kwp_length(size_t length) {
  return (length + 7) / 8 * 8 + 8;
}

// `wrapping_key` has 32 bytes. Returns kwp_length(key.size()) bytes.
Bytes wrap_kwp(ByteView wrapping_key, ByteView key);
// The key of `length` bytes; nothing when `wrapped` fails the integrity check or holds a key of another length.
std::optional<SecretBytes> unwrap_kwp(ByteView wrapping_key, ByteView wrapped, size_t length);

}  // namespace callseal
