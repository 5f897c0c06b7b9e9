// What a DER object is, from the tags of its first elements.
#pragma once

#include "bytes.h"

namespace callseal {

enum class DerShape {
  kUnknown,
  kPkcs8,           // PrivateKeyInfo, RFC 5208 and RFC 5958
  kEncryptedPkcs8,  // EncryptedPrivateKeyInfo
  kPkcs1,           // RSAPrivateKey, RFC 8017
  kSec1,            // ECPrivateKey, RFC 5915
  kDsa,             // OpenSSL's traditional DSA private key
  kPkcs12,          // PFX, RFC 7292
  kCertificate,     // X.509 certificate (or a request or CRL, which begin alike)
  kPublicKey,       // SubjectPublicKeyInfo
  kPkcs1PublicKey,  // RSAPublicKey
};

// Shape of the object that `der` begins with; BER with indefinite lengths is recognised for PKCS#12, where it occurs.
DerShape der_shape(ByteView der);

// Length of the object that `der` begins with, header included; 0 when it is cut off or of indefinite length.
size_t der_object_length(ByteView der);

// A name such as "PKCS#8" for messages.
const char* der_shape_name(DerShape shape);

bool is_private_key(DerShape shape);

}  // namespace callseal
