// Signing and verifying by PrivateKey and PublicKey.
#include <openssl/rsa.h>

#include "error.h"
#include "module.h"
#include "rsa_key.h"

namespace callseal {
namespace {

std::optional<EcCurve> curve_of(SignatureScheme scheme) {
  if (scheme == SignatureScheme::kEcdsaP256Sha256) return EcCurve::kP256;
  if (scheme == SignatureScheme::kEcdsaP384Sha384) return EcCurve::kP384;
  return std::nullopt;
}

void require_algorithm(SignatureScheme scheme, const PublicKey& key) {
  const std::optional<EcCurve> curve = curve_of(scheme);
  const bool fits = curve ? key.curve() == curve : key.algorithm() == "RSA";
  if (fits) return;
  const std::string wanted = curve ? ec_curve_name(*curve) : "RSA";
  throw Error(Code::kNotApproved, "signatures of this scheme are made and verified with " + wanted + " keys, not " +
                                      key.algorithm() + " of " + std::to_string(key.bits()) + " bits");
}

}  // namespace

bool set_signature_padding(EVP_PKEY_CTX* context, SignatureScheme scheme) {
  if (curve_of(scheme)) return true;
  if (scheme != SignatureScheme::kPssSha256) return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1;
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, "SHA2-256", nullptr) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

const char* signature_digest(SignatureScheme scheme) {
  if (scheme == SignatureScheme::kPkcs1Sha1) return "SHA1";
  return scheme == SignatureScheme::kEcdsaP384Sha384 ? "SHA2-384" : "SHA2-256";
}

std::optional<SignatureScheme> PublicKey::writer_scheme() const {
  if (curve_) return *curve_ == EcCurve::kP256 ? SignatureScheme::kEcdsaP256Sha256 : SignatureScheme::kEcdsaP384Sha384;
  const bool usable = algorithm_ == "RSA" && bits_ >= kMinRsaBits && bits_ <= kMaxRsaBits && has_approved_exponent_;
  return usable ? std::optional(SignatureScheme::kPssSha256) : std::nullopt;
}

size_t PublicKey::signature_length(SignatureScheme scheme) const {
  const std::optional<EcCurve> curve = curve_of(scheme);
  return curve ? 2 * ec_number_bytes(*curve) : modulus_bytes();
}

bool PublicKey::verify(SignatureScheme scheme, ByteView data, ByteView signature) const {
  const Module& module = Module::get();
  require_algorithm(scheme, *this);
  Bytes der;
  if (const std::optional<EcCurve> curve = curve_of(scheme)) {
    der = ecdsa_to_der(signature, *curve);
    if (der.empty()) return false;
    signature = der;
  }
  DigestCtxPtr context(EVP_MD_CTX_new());
  require_openssl(context != nullptr, "allocating a digest context");
  EVP_PKEY_CTX* operation = nullptr;  // owned by `context`
  bool ready = EVP_DigestVerifyInit_ex(context.get(), &operation, signature_digest(scheme), module.context(),
                                       module.properties(), key_.get(), nullptr) == 1 &&
               set_signature_padding(operation, scheme);
  require_openssl(ready, "preparing a signature verification");
  int result = EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size());
  take_openssl_errors();
  return result == 1;
}

Bytes PrivateKey::sign(SignatureScheme scheme, ByteView data) const {
  const Module& module = Module::get();
  require_algorithm(scheme, *public_key_);
  if (remote_ != nullptr) return remote_->sign(scheme, data);
  DigestCtxPtr context(EVP_MD_CTX_new());
  require_openssl(context != nullptr, "allocating a digest context");
  EVP_PKEY_CTX* operation = nullptr;  // owned by `context`
  bool ready = EVP_DigestSignInit_ex(context.get(), &operation, signature_digest(scheme), module.context(),
                                     module.properties(), key_.get(), nullptr) == 1 &&
               set_signature_padding(operation, scheme);
  // The most there can be: ECDSA's DER has a length of its own each time.
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key_.get())));
  size_t length = signature.size();
  bool done = ready && EVP_DigestSign(context.get(), signature.data(), &length, data.data(), data.size()) == 1;
  if (!done && scheme == SignatureScheme::kPkcs1Sha1) {
    throw Error::openssl(Code::kNotApproved,
                         "signing with SHA-1: the crypto module refuses it, as SHA-1 signatures are allowed for "
                         "verification only (FIPS 186-5, SP 800-131A rev. 2); choose a suite with SHA-256");
  }
  require_openssl(done, "signing");
  signature.resize(length);
  const std::optional<EcCurve> curve = curve_of(scheme);
  if (!curve) return signature;
  Bytes fixed = ecdsa_from_der(signature, *curve);
  require_openssl(!fixed.empty(), "reading a signature just made");
  return fixed;
}

}  // namespace callseal
