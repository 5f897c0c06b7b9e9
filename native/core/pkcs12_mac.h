// The integrity check of PKCS#12 files. OpenSSL's own leaves the passphrase in freed memory, as UTF-16.
#pragma once

#include "bytes.h"
#include "pbes2.h"

namespace callseal {

struct Pkcs12MacOptions {
  const char* digest;  // by OpenSSL's name
  ByteView salt;
  uint64_t iterations;  // the caller bounds them
};

// HMAC over `content` under the key that PKCS12KDF derives (RFC 7292 appendix B.2, purpose 3). A passphrase with null
// data is absent, which is not the same as empty. Writes at most EVP_MAX_MD_SIZE bytes; returns how many, or 0 when
// this place does not offer PKCS12KDF or the digest.
size_t pkcs12_mac(const Place& place, const Pkcs12MacOptions& options, ByteView passphrase, ByteView content,
                  uint8_t* out);

}  // namespace callseal
