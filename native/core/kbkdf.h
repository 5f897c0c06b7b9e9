// SP 800-108r1 KBKDF in counter mode with HMAC-SHA-256: [i]_32 ‖ label ‖ 0x00 ‖ context ‖ [L]_32.
#pragma once

#include "bytes.h"

namespace callseal {

// `length` bytes derived from `key`, which has at least 14 bytes.
SecretBytes derive_kbkdf(ByteView key, ByteView label, ByteView context, size_t length);

}  // namespace callseal
