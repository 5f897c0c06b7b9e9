// OAEP decoding by itself (RFC 8017 section 7.1.2 step 3), for tokens that offer only plain RSA.
#pragma once

#include "bytes.h"

namespace callseal {

// The message in a result of plain RSA; SHA-256 for both hashes, empty label. In constant time up to the outcome, and
// one answer for every kind of bad padding: kTampered. `encoded` may lack leading zero bytes.
SecretBytes unpad_oaep(ByteView encoded, size_t modulus_bytes);

}  // namespace callseal
