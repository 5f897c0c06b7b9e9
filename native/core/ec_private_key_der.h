// Private keys of P-256 and P-384 as PKCS#8 (RFC 5208) and SEC1 (RFC 5915, ECPrivateKey), in and out of the module: as
// rsa_private_key_der.h does, and for the same reason.
#pragma once

#include "bytes.h"
#include "openssl_ptr.h"

namespace callseal {

// The key in the module's context; null when it is of another algorithm or curve, does not hold its public key (which
// is optional, and rarely missing), is damaged, or when the module refuses it.
PkeyPtr decode_ec_private_key(ByteView der);

// PKCS#8, as OpenSSL writes it: with the public key. kNotApproved for a key of another algorithm or curve.
SecretBytes encode_ec_private_key(EVP_PKEY* key);

}  // namespace callseal
