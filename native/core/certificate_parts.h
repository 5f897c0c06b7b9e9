// What certificates and requests for them have in common: the name, and a signature by a key that may be in a token.
#pragma once

#include "certificate.h"

namespace callseal {

// kNotApproved for a key that is neither RSA of kMinRsaBits or more nor P-256 or P-384.
void require_certifiable(const PrivateKey& key);

// kInvalidArgument when it is empty, or OpenSSL refuses a type or a value.
X509NamePtr make_x509_name(const X509Subject& subject);

// sha256WithRSAEncryption (RFC 4055 section 5): RSASSA-PKCS1-v1_5, which every authority accepts. For keys on curves
// ecdsa-with-SHA256 or -SHA384 (RFC 5758 section 3.2).
void set_signature_algorithm(X509_ALGOR* algorithm, const PrivateKey& key);

// The key's signature of DER that OpenSSL has just encoded, which is freed. Anything but a positive length is a
// failure.
Bytes sign_der(const PrivateKey& key, uint8_t* der, int length);

void set_signature(ASN1_BIT_STRING* out, const Bytes& signature);

}  // namespace callseal
