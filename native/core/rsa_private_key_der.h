// RSA private keys as PKCS#8 (RFC 5208) and PKCS#1 (RFC 8017, RSAPrivateKey), in and out of the module.
//
// OpenSSL's decoders and encoders leave more than ten copies of the key in freed memory. Here its numbers go from the
// file's bytes straight into the module, and back, through memory that is cleared.
#pragma once

#include "bytes.h"
#include "openssl_ptr.h"

namespace callseal {

// Either form of an RSA key, going by its outermost structure.
bool is_rsa_private_key(ByteView der);

// The key in the module's context; null when it is not RSA, is damaged, has more than two primes (FIPS 186-5 knows only
// two), or when the module refuses it.
PkeyPtr decode_rsa_private_key(ByteView der);

// PKCS#8. kNotApproved for a key that is not RSA.
SecretBytes encode_rsa_private_key(EVP_PKEY* key);

}  // namespace callseal
