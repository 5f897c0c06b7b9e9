// PrivateKeyInfo (PKCS#8, RFC 5208; OneAsymmetricKey of RFC 5958): the wrapper that private keys of every algorithm
// have in files.
#pragma once

#include <optional>

#include "bytes.h"
#include "der.h"

namespace callseal {

struct PrivateKeyInfo {
  ByteView algorithm;    // the object identifier's content
  DerReader parameters;  // what follows it in the AlgorithmIdentifier
  ByteView key;          // the algorithm's own structure
};

// Of an object whose der_shape() is kPkcs8; attributes and a public key behind the private one are passed over.
std::optional<PrivateKeyInfo> read_private_key_info(ByteView der);

// `parameters` is one whole DER element.
SecretBytes write_private_key_info(ByteView algorithm, ByteView parameters, ByteView key);

}  // namespace callseal
