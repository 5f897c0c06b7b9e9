// X.509 certificates and bare public keys, as recipients.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rsa_key.h"

namespace callseal {

struct KeyObject;

struct CertificateInfo {
  std::string subject;  // RFC 4514 text, UTF-8, control characters escaped
  std::string issuer;
  Bytes serial;            // big-endian magnitude, no leading zero byte; empty for serial number 0
  int64_t not_before = 0;  // seconds since 1970-01-01T00:00:00Z
  int64_t not_after = 0;
  Sha256 sha256;                    // of the DER certificate as it stands in the file
  std::string signature_algorithm;  // such as "sha256WithRSAEncryption"
  Bytes issuer_and_serial;          // DER IssuerAndSerialNumber (RFC 5652 section 10.2.4), as CMS names it
  Bytes subject_key_id;             // value of that extension; empty when there is none
};

struct RecipientEntry {
  std::shared_ptr<const PublicKey> public_key;
  std::optional<CertificateInfo> certificate;  // none for a bare public key
};

// (type, value) pairs in order, such as ("CN", "MyCompany").
using X509Subject = std::vector<std::pair<std::string, std::string>>;

constexpr size_t kMaxRecipientsPerFile = 4096;

// Every certificate and public key in PEM, a PEM bundle or DER: keys of any algorithm and size, whether the crypto
// module can use them or not. Private keys in the bytes are passed over. kCertificateUnreadable when there is none,
// when one does not decode, or when there are more than kMaxRecipientsPerFile.
std::vector<RecipientEntry> read_recipients(ByteView bytes);

// One object for which KeyObject::is_public() holds. kCertificateUnreadable.
RecipientEntry decode_recipient(const KeyObject& object);

// Self-signed X.509 v3 certificate: SHA-256 (over P-384 SHA-384), random positive serial of 159 bits (CA/B BR 7.1),
// valid from one minute ago (clocks differ) for `days` from now; the extensions of `openssl req -x509`: CA:TRUE and key
// identifiers. Over a key on P-256 or P-384: CA:FALSE and the key usage digitalSignature. PEM.
// kInvalidArgument for a bad subject or number of days, kNotApproved for a key that is neither RSA of 2048 bits or more
// nor on one of these curves.
std::string create_certificate(const PrivateKey& key, const X509Subject& subject, int days);

// Whether OpenSSL takes the subject: kInvalidArgument otherwise.
void check_subject(const X509Subject& subject);

// Request for a certificate (PKCS#10, RFC 2986), signed as certificates are, with RSA in the scheme which every
// authority knows; no attributes. PEM. Errors as above, and those of the token when the key is in one.
std::string create_request(const PrivateKey& key, const X509Subject& subject);

}  // namespace callseal
