#include "certificate_parts.h"

#include <openssl/err.h>
#include <openssl/objects.h>

#include "error.h"
#include "out_of_memory.h"

namespace callseal {
namespace {

void free_der(uint8_t* der) {
  OPENSSL_free(der);
}
using OwnedDer = OpensslPtr<uint8_t, free_der>;

// OpenSSL's reason for refusing a value, such as "string too long".
std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  std::string text = reason != nullptr ? reason : "not allowed";
  take_openssl_errors();
  return text;
}

}  // namespace

void require_certifiable(const PrivateKey& key) {
  const PublicKey& public_key = *key.public_key();
  if (public_key.curve() || (public_key.algorithm() == "RSA" && public_key.bits() >= kMinRsaBits)) return;
  throw Error(Code::kNotApproved, "certificates and requests are made for P-256, P-384, and RSA keys of at least " +
                                      std::to_string(kMinRsaBits) + " bits, not for " + public_key.algorithm() +
                                      " of " + std::to_string(public_key.bits()) + " bits");
}

X509NamePtr make_x509_name(const X509Subject& subject) {
  if (subject.empty()) throw Error(Code::kInvalidArgument, "the subject is empty; give at least CN");
  X509NamePtr name(X509_NAME_new());
  require_openssl(name != nullptr, "allocating a name");
  for (const auto& [type, value] : subject) {
    int nid = OBJ_txt2nid(type.c_str());
    if (nid == NID_undef) {
      require_memory();
      take_openssl_errors();
      throw Error(Code::kInvalidArgument, "\"" + type + "\" is not a type of a subject such as CN, O, OU, L, ST or C");
    }
    if (value.empty()) throw Error(Code::kInvalidArgument, "the subject's " + type + " is empty");
    if (X509_NAME_add_entry_by_NID(name.get(), nid, MBSTRING_UTF8, reinterpret_cast<const uint8_t*>(value.data()),
                                   static_cast<int>(value.size()), -1, 0) != 1) {
      require_memory();
      throw Error(Code::kInvalidArgument, "the subject's " + type + " is refused: " + last_reason());
    }
  }
  return name;
}

void set_signature_algorithm(X509_ALGOR* algorithm, const PrivateKey& key) {
  const std::optional<EcCurve> curve = key.public_key()->curve();
  const int of_curve = curve == EcCurve::kP384 ? NID_ecdsa_with_SHA384 : NID_ecdsa_with_SHA256;
  const bool ok = curve
                      ? X509_ALGOR_set0(algorithm, OBJ_nid2obj(of_curve), V_ASN1_UNDEF, nullptr) == 1
                      : X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256WithRSAEncryption), V_ASN1_NULL, nullptr) == 1;
  require_openssl(ok, "naming a signature algorithm");
}

Bytes sign_der(const PrivateKey& key, uint8_t* der, int length) {
  OwnedDer owned(der);
  require_openssl(length > 0 && owned != nullptr, "encoding what is to be signed");
  const ByteView data(der, static_cast<size_t>(length));
  const PublicKey& public_key = *key.public_key();
  if (!public_key.curve()) return key.sign(SignatureScheme::kPkcs1Sha256, data);
  return ecdsa_to_der(key.sign(*public_key.writer_scheme(), data), *public_key.curve());
}

void set_signature(ASN1_BIT_STRING* out, const Bytes& signature) {
  require_openssl(
      ASN1_BIT_STRING_set(out, const_cast<uint8_t*>(signature.data()), static_cast<int>(signature.size())) == 1,
      "storing a signature");
  // Whole bytes: without the flag, trailing zero bits would not be written.
  out->flags = (out->flags & ~0x07) | ASN1_STRING_FLAG_BITS_LEFT;
}

}  // namespace callseal
