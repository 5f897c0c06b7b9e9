#include <openssl/pem.h>

#include "certificate.h"
#include "certificate_parts.h"
#include "error.h"
#include "module.h"
#include "quiet_errors.h"

namespace callseal {
namespace {

using AlgorithmPtr = OpensslPtr<X509_ALGOR, X509_ALGOR_free>;
using BitStringPtr = OpensslPtr<ASN1_BIT_STRING, ASN1_BIT_STRING_free>;

void sign(X509_REQ* request, const PrivateKey& key) {
  AlgorithmPtr algorithm(X509_ALGOR_new());
  BitStringPtr signature(ASN1_BIT_STRING_new());
  require_openssl(algorithm != nullptr && signature != nullptr, "allocating a signature");
  set_signature_algorithm(algorithm.get(), key);
  uint8_t* der = nullptr;
  int length = i2d_re_X509_REQ_tbs(request, &der);
  set_signature(signature.get(), sign_der(key, der, length));
  require_openssl(X509_REQ_set1_signature_algo(request, algorithm.get()) == 1, "naming a signature algorithm");
  X509_REQ_set0_signature(request, signature.release());
}

std::string to_pem(X509_REQ* request) {
  BioPtr bio(BIO_new(BIO_s_mem()));
  require_openssl(bio != nullptr && PEM_write_bio_X509_REQ(bio.get(), request) == 1, "encoding a request");
  char* text = nullptr;
  long length = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(length));
}

}  // namespace

void check_subject(const X509Subject& subject) {
  QuietErrors quiet;
  make_x509_name(subject);
}

std::string create_request(const PrivateKey& key, const X509Subject& subject) {
  QuietErrors quiet;
  require_certifiable(key);
  const Module& module = Module::get();
  ScopedDefaultContext scope(module.context());
  X509NamePtr name = make_x509_name(subject);
  X509RequestPtr request(X509_REQ_new_ex(module.context(), module.properties()));
  require_openssl(request != nullptr && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
                      X509_REQ_set_subject_name(request.get(), name.get()) == 1 &&
                      X509_REQ_set_pubkey(request.get(), key.public_key()->pkey()) == 1,
                  "filling in a request");
  sign(request.get(), key);
  return to_pem(request.get());
}

}  // namespace callseal
