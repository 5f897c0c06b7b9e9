// The small parts of a CMS message (RFC 5652), encoded and decoded by OpenSSL's ASN.1 templates.
#pragma once

#include <array>
#include <string>

#include "bytes.h"

namespace callseal {

constexpr size_t kCmsNonceLength = 12;
constexpr size_t kCmsTagLength = 16;

using CmsNonce = std::array<uint8_t, kCmsNonceLength>;
using CmsTag = std::array<uint8_t, kCmsTagLength>;

// A KeyTransRecipientInfo (RFC 5652 section 6.2.1).
struct CmsRecipient {
  // Whom it is for, as messages say it: "serial 0a1b, issuer CN=…" or "key identifier 0a1b…".
  std::string name;
  Bytes issuer_and_serial;  // DER IssuerAndSerialNumber; empty when it is named by a key identifier
  Bytes key_id;
  Bytes wrapped_key;
  // Why Callseal does not open it, and what to ask the sender for. Empty for RSAES-OAEP with SHA-256 for both hashes
  // and an empty label.
  std::string problem;
};

// Of any RecipientInfo, `der` being the whole element. kTampered when it is none.
CmsRecipient decode_recipient_info(ByteView der);

// For RSAES-OAEP as above, named by issuer and serial number: version 0, DER.
Bytes encode_recipient_info(ByteView issuer_and_serial, ByteView wrapped_key);

// Whether two IssuerAndSerialNumbers name one certificate; names are compared as X.509 does.
bool same_issuer_and_serial(ByteView a, ByteView b);

// AlgorithmIdentifier of AES-256-GCM (RFC 5084) with a nonce of 12 and a tag of 16 bytes. kNotCms for any other.
CmsNonce decode_content_encryption(ByteView der);
Bytes encode_content_encryption(const CmsNonce& nonce);

// "aes-256-cbc", or digits and dots for what OpenSSL has no name for; "unknown" when it is no OBJECT IDENTIFIER.
std::string object_name(ByteView oid_der);

// DER of an OBJECT IDENTIFIER by OpenSSL's number.
Bytes object_der(int nid);

}  // namespace callseal
