#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <time.h>

#include "certificate.h"
#include "certificate_parts.h"
#include "error.h"
#include "module.h"
#include "out_of_memory.h"
#include "quiet_errors.h"

namespace callseal {
namespace {

using BasicConstraintsPtr = OpensslPtr<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free>;
using AuthorityKeyIdPtr = OpensslPtr<AUTHORITY_KEYID, AUTHORITY_KEYID_free>;
using BitStringPtr = OpensslPtr<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;
using OctetStringPtr = OpensslPtr<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;

constexpr long kBackdateSeconds = 60;
constexpr size_t kSerialBytes = 20;
// RFC 7093 section 2, method 1: key identifiers are the first 160 bits of a SHA-256, so that no SHA-1 is needed.
constexpr int kKeyIdentifierBytes = 20;

void set_serial(X509* certificate) {
  uint8_t bytes[kSerialBytes];
  require_openssl(RAND_bytes_ex(Module::get().context(), bytes, sizeof bytes, 0) == 1, "making a serial number");
  bytes[0] &= 0x7F;
  BignumPtr number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  require_openssl(number != nullptr && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr,
                  "setting a serial number");
}

void set_validity(X509* certificate, int days) {
  if (days < 1) throw Error(Code::kInvalidArgument, "a certificate is valid for at least 1 day");
  time_t now = time(nullptr);
  bool ok = X509_time_adj_ex(X509_getm_notBefore(certificate), 0, -kBackdateSeconds, &now) != nullptr &&
            X509_time_adj_ex(X509_getm_notAfter(certificate), days, 0, &now) != nullptr;
  if (!ok) {
    require_memory();
    take_openssl_errors();
    throw Error(Code::kInvalidArgument,
                std::to_string(days) + " days reach beyond the year 9999, where certificates end");
  }
}

OctetStringPtr key_identifier(const X509* certificate) {
  const ASN1_BIT_STRING* key = X509_get0_pubkey_bitstr(certificate);
  uint8_t digest[EVP_MAX_MD_SIZE];
  OctetStringPtr identifier(ASN1_OCTET_STRING_new());
  require_openssl(identifier != nullptr && key != nullptr &&
                      EVP_Digest(key->data, static_cast<size_t>(key->length), digest, nullptr, Module::get().sha256(),
                                 nullptr) == 1 &&
                      ASN1_OCTET_STRING_set(identifier.get(), digest, kKeyIdentifierBytes) == 1,
                  "making a key identifier");
  return identifier;
}

void add_extension(X509* certificate, int nid, void* value, bool critical) {
  require_openssl(X509_add1_ext_i2d(certificate, nid, value, critical ? 1 : 0, X509V3_ADD_DEFAULT) == 1,
                  "adding a certificate extension");
}

// KeyUsage's bit 0 (RFC 5280 section 4.2.1.3).
void add_signing_usage(X509* certificate) {
  BitStringPtr usage(ASN1_BIT_STRING_new());
  require_openssl(usage != nullptr && ASN1_BIT_STRING_set_bit(usage.get(), 0, 1) == 1, "naming the use of a key");
  add_extension(certificate, NID_key_usage, usage.get(), true);
}

// A key on a curve signs files and nothing else, so its certificate can be no authority's.
void add_extensions(X509* certificate, bool for_signing) {
  OctetStringPtr subject_identifier = key_identifier(certificate);
  add_extension(certificate, NID_subject_key_identifier, subject_identifier.get(), false);
  AuthorityKeyIdPtr authority(AUTHORITY_KEYID_new());
  require_openssl(authority != nullptr, "allocating a certificate extension");
  authority->keyid = subject_identifier.release();
  add_extension(certificate, NID_authority_key_identifier, authority.get(), false);
  BasicConstraintsPtr constraints(BASIC_CONSTRAINTS_new());
  require_openssl(constraints != nullptr, "allocating a certificate extension");
  constraints->ca = for_signing ? 0 : 0xFF;  // DER's TRUE
  add_extension(certificate, NID_basic_constraints, constraints.get(), true);
  if (for_signing) add_signing_usage(certificate);
}

// By PrivateKey::sign, as the key may be in a token, where X509_sign does not reach it.
void sign(X509* certificate, const PrivateKey& key) {
  const ASN1_BIT_STRING* signature = nullptr;
  const X509_ALGOR* algorithm = nullptr;
  X509_get0_signature(&signature, &algorithm, certificate);
  set_signature_algorithm(const_cast<X509_ALGOR*>(X509_get0_tbs_sigalg(certificate)), key);
  set_signature_algorithm(const_cast<X509_ALGOR*>(algorithm), key);
  uint8_t* der = nullptr;
  int length = i2d_re_X509_tbs(certificate, &der);
  set_signature(const_cast<ASN1_BIT_STRING*>(signature), sign_der(key, der, length));
}

std::string to_pem(X509* certificate) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  require_openssl(bio != nullptr && PEM_write_bio_X509(bio.get(), certificate) == 1, "encoding a certificate");
  char* text = nullptr;
  long length = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(length));
}

}  // namespace

std::string create_certificate(const PrivateKey& key, const X509Subject& subject, int days) {
  QuietErrors quiet;
  require_certifiable(key);
  const Module& module = Module::get();
  ScopedDefaultContext scope(module.context());
  X509NamePtr name = make_x509_name(subject);
  X509Ptr certificate(X509_new_ex(module.context(), module.properties()));
  require_openssl(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1 &&
                      X509_set_subject_name(certificate.get(), name.get()) == 1 &&
                      X509_set_issuer_name(certificate.get(), name.get()) == 1 &&
                      X509_set_pubkey(certificate.get(), key.public_key()->pkey()) == 1,
                  "filling in a certificate");
  set_serial(certificate.get());
  set_validity(certificate.get(), days);
  add_extensions(certificate.get(), key.public_key()->curve().has_value());
  sign(certificate.get(), key);
  return to_pem(certificate.get());
}

}  // namespace callseal
