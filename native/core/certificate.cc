#include "certificate.h"

#include <openssl/decoder.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <time.h>

#include "error.h"
#include "key_objects.h"
#include "module.h"
#include "name_text.h"
#include "quiet_errors.h"

namespace callseal {
namespace {

using DecoderCtxPtr = OpensslPtr<OSSL_DECODER_CTX, OSSL_DECODER_CTX_free>;

[[noreturn]] void unreadable(const KeyObject& object, const std::string& why) {
  take_openssl_errors();
  throw Error(Code::kCertificateUnreadable, object.where() + " " + why);
}

int64_t seconds(const KeyObject& object, const ASN1_TIME* time) {
  struct tm parts {};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) unreadable(object, "has a malformed validity time");
  return timegm(&parts);
}

Bytes serial_number(const X509* certificate) {
  BignumPtr number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  require_openssl(number != nullptr, "reading a serial number");
  Bytes bytes(static_cast<size_t>(BN_num_bytes(number.get())));
  BN_bn2bin(number.get(), bytes.data());
  return bytes;
}

// Both are encoded again, as CMS has them in another structure.
Bytes issuer_and_serial(const KeyObject& object, const X509* certificate) {
  OpensslPtr<PKCS7_ISSUER_AND_SERIAL, PKCS7_ISSUER_AND_SERIAL_free> named(PKCS7_ISSUER_AND_SERIAL_new());
  uint8_t* der = nullptr;
  int length = -1;
  if (named != nullptr && X509_NAME_set(&named->issuer, X509_get_issuer_name(certificate)) == 1 &&
      ASN1_STRING_copy(named->serial, X509_get0_serialNumber(certificate)) == 1) {
    length = i2d_PKCS7_ISSUER_AND_SERIAL(named.get(), &der);
  }
  if (length <= 0) unreadable(object, "has an issuer or serial number that cannot be encoded");
  Bytes bytes(der, der + length);
  OPENSSL_free(der);
  return bytes;
}

Bytes subject_key_id(const X509* certificate) {
  QuietErrors quiet;
  void* decoded = X509_get_ext_d2i(certificate, NID_subject_key_identifier, nullptr, nullptr);
  OpensslPtr<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free> owner(static_cast<ASN1_OCTET_STRING*>(decoded));
  const ASN1_OCTET_STRING* id = owner.get();
  if (id == nullptr) return {};
  return ByteView(ASN1_STRING_get0_data(id), static_cast<size_t>(ASN1_STRING_length(id))).copy();
}

std::string signature_algorithm(const X509* certificate) {
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(nullptr, &algorithm, certificate);
  char name[128];
  return OBJ_obj2txt(name, sizeof name, algorithm->algorithm, 0) > 0 ? name : "unknown";
}

std::string key_algorithm(const X509* certificate) {
  ASN1_OBJECT* algorithm = nullptr;
  if (X509_PUBKEY_get0_param(&algorithm, nullptr, nullptr, nullptr, X509_get_X509_PUBKEY(certificate)) != 1) {
    return "unknown";
  }
  char name[128];
  return OBJ_obj2txt(name, sizeof name, algorithm, 0) > 0 ? name : "unknown";
}

RecipientEntry decode_certificate(const KeyObject& object, OSSL_LIB_CTX* context) {
  const uint8_t* cursor = object.der.data();
  X509* raw = X509_new_ex(context, nullptr);
  require_openssl(raw != nullptr, "allocating a certificate");
  // Behind the certificate in a TRUSTED CERTIFICATE stand OpenSSL's own trust settings, which are of no concern here.
  // On failure d2i_X509 frees what it was given and sets `raw` to null.
  d2i_X509(&raw, &cursor, static_cast<long>(object.der.size()));
  X509Ptr certificate(raw);
  if (certificate == nullptr) unreadable(object, "is not a certificate that can be decoded");
  PkeyPtr key(X509_get_pubkey(certificate.get()));
  if (key == nullptr)
    unreadable(object, "has a public key that cannot be decoded (" + key_algorithm(certificate.get()) + ")");
  CertificateInfo info;
  info.subject = name_text(X509_get_subject_name(certificate.get()));
  info.issuer = name_text(X509_get_issuer_name(certificate.get()));
  info.serial = serial_number(certificate.get());
  info.not_before = seconds(object, X509_get0_notBefore(certificate.get()));
  info.not_after = seconds(object, X509_get0_notAfter(certificate.get()));
  info.sha256 = sha256(ByteView(object.der.data(), static_cast<size_t>(cursor - object.der.data())));
  info.signature_algorithm = signature_algorithm(certificate.get());
  info.issuer_and_serial = issuer_and_serial(object, certificate.get());
  info.subject_key_id = subject_key_id(certificate.get());
  return {std::make_shared<const PublicKey>(std::move(key)), std::move(info)};
}

PkeyPtr decode_public_key(const KeyObject& object, OSSL_LIB_CTX* context) {
  const char* structure = object.shape == DerShape::kPkcs1PublicKey ? "type-specific" : "SubjectPublicKeyInfo";
  EVP_PKEY* key = nullptr;
  DecoderCtxPtr decoder(
      OSSL_DECODER_CTX_new_for_pkey(&key, "DER", structure, nullptr, EVP_PKEY_PUBLIC_KEY, context, nullptr));
  require_openssl(decoder != nullptr, "preparing to decode a public key");
  const uint8_t* cursor = object.der.data();
  size_t left = object.der.size();
  bool ok = OSSL_DECODER_from_data(decoder.get(), &cursor, &left) == 1;
  PkeyPtr owned(key);
  return ok ? std::move(owned) : nullptr;
}

}  // namespace

RecipientEntry decode_recipient(const KeyObject& object) {
  if (!object.damage.empty()) unreadable(object, object.damage);
  // Public keys need no module to be looked at, and the module cannot hold all of them. PublicKey moves those it can.
  OSSL_LIB_CTX* context = Module::get().decoding_context(false);
  ScopedDefaultContext scope(context);
  switch (object.shape) {
    case DerShape::kCertificate:
      return decode_certificate(object, context);
    case DerShape::kPublicKey:
    case DerShape::kPkcs1PublicKey:
      break;
    default:
      unreadable(object, "is neither a certificate nor a public key");
  }
  PkeyPtr key = decode_public_key(object, context);
  if (key == nullptr) unreadable(object, "is not a public key that can be decoded");
  return {std::make_shared<const PublicKey>(std::move(key)), std::nullopt};
}

std::vector<RecipientEntry> read_recipients(ByteView bytes) {
  QuietErrors quiet;
  std::vector<KeyObject> objects = read_key_objects(bytes);
  std::vector<RecipientEntry> recipients;
  for (const KeyObject& object : objects) {
    // What follows DER and is no object of a known kind is damage; an unknown PEM label is somebody else's business.
    bool is_rest = object.label.empty() && object.shape == DerShape::kUnknown;
    if (!object.is_public() && !is_rest) continue;
    if (recipients.size() == kMaxRecipientsPerFile) {
      throw Error(Code::kCertificateUnreadable,
                  "there are more than " + std::to_string(kMaxRecipientsPerFile) + " certificates in one file");
    }
    recipients.push_back(decode_recipient(object));
  }
  if (recipients.empty()) {
    throw Error(Code::kCertificateUnreadable,
                "no certificate or public key found: " + describe_objects(bytes, objects));
  }
  return recipients;
}

}  // namespace callseal
