#include "rsa_key.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <utility>

#include "error.h"
#include "module.h"

namespace callseal {
namespace {

constexpr char kDoesNotOpen[] = "the wrapped key does not open with the private key it was made for";

Bytes encode_spki(EVP_PKEY* key) {
  uint8_t* der = nullptr;
  int length = i2d_PUBKEY(key, &der);
  if (length <= 0) throw Error::openssl(Code::kCertificateUnreadable, "a public key cannot be encoded");
  Bytes spki(der, der + length);
  OPENSSL_free(der);
  return spki;
}

// SP 800-56B rev. 2 section 6.2: odd, from 65537, below 2^256. The module does not look: with e = 1 it "encrypts" in
// clear.
bool exponent_is_approved(EVP_PKEY* key) {
  BIGNUM* value = nullptr;
  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &value) != 1) {
    take_openssl_errors();
    return false;
  }
  BignumPtr exponent(value);
  return BN_is_odd(value) == 1 && BN_num_bits(value) >= 17 && BN_num_bits(value) <= 256;
}

std::string algorithm_name(EVP_PKEY* key) {
  const char* name = EVP_PKEY_get0_type_name(key);
  if (name != nullptr) return name;
  const char* short_name = OBJ_nid2sn(EVP_PKEY_get_base_id(key));
  return short_name != nullptr ? short_name : "unknown";
}

// A public key re-made in the module's context from its DER SubjectPublicKeyInfo; null when the module cannot hold it.
PkeyPtr import_public_key(EVP_PKEY* key) {
  const Module& module = Module::get();
  ScopedDefaultContext scope(module.context());
  Bytes spki = encode_spki(key);
  const uint8_t* cursor = spki.data();
  PkeyPtr imported(
      d2i_PUBKEY_ex(nullptr, &cursor, static_cast<long>(spki.size()), module.context(), module.properties()));
  take_openssl_errors();
  return imported;
}

}  // namespace

// The digests' property query stays NULL: a non-NULL one fails on OpenSSL 3.0 and 3.1.2.
bool set_oaep_sha256(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_oaep_md_name(context, "SHA2-256", nullptr) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, "SHA2-256", nullptr) == 1;
}

PublicKey::PublicKey(PkeyPtr key)
    : key_(std::move(key)),
      algorithm_(algorithm_name(key_.get())),
      bits_(EVP_PKEY_get_bits(key_.get())),
      has_approved_exponent_(exponent_is_approved(key_.get())),
      contexts_(std::make_unique<OaepContexts>(EVP_PKEY_encrypt_init)) {
  spki_sha256_ = sha256(encode_spki(key_.get()));
  curve_ = ec_curve(key_.get());
  // Keys the module cannot hold (other curves, Ed25519 …) stay as they are: they are only ever described.
  if (PkeyPtr imported = import_public_key(key_.get())) key_ = std::move(imported);
}

std::string PublicKey::to_pem() const {
  BioPtr bio(BIO_new(BIO_s_mem()));
  require_openssl(bio != nullptr && PEM_write_bio_PUBKEY(bio.get(), key_.get()) == 1, "encoding a public key");
  char* text = nullptr;
  long length = BIO_get_mem_data(bio.get(), &text);
  return std::string(text, static_cast<size_t>(length));
}

void PublicKey::wrap(const SecretKey& key, uint8_t* out) const {
  encrypt_oaep(key.bytes_for(KeyUse::kContent), out);
}

void PublicKey::encrypt_oaep(ByteView bytes, uint8_t* out) const {
  if (algorithm_ != "RSA" || bits_ < kMinRsaBits || bits_ > kMaxRsaBits) {
    throw Error(Code::kNotApproved, "a key is wrapped for RSA keys of 2048 to 8192 bits, not for " + algorithm_ +
                                        " of " + std::to_string(bits_) + " bits");
  }
  if (!has_approved_exponent_) {
    throw Error(Code::kNotApproved, "a key is wrapped for RSA keys whose public exponent is odd and at least 65537");
  }
  PkeyCtxPtr context = contexts_->take(key_.get());
  size_t length = modulus_bytes();
  bool ok = EVP_PKEY_encrypt(context.get(), out, &length, bytes.data(), bytes.size()) == 1 && length == modulus_bytes();
  require_openssl(ok, "RSA-OAEP encryption");
  contexts_->give_back(std::move(context));
}

PrivateKey::PrivateKey(PkeyPtr key, std::string unwrapped_outside)
    : key_(std::move(key)),
      unwrapped_outside_(std::move(unwrapped_outside)),
      contexts_(std::make_unique<OaepContexts>(EVP_PKEY_decrypt_init)) {
  require_openssl(EVP_PKEY_up_ref(key_.get()) == 1, "sharing a key");
  PkeyPtr same(key_.get());
  PkeyPtr only_public = import_public_key(same.get());
  public_key_ = std::make_shared<const PublicKey>(only_public != nullptr ? std::move(only_public) : std::move(same));
}

PrivateKey::PrivateKey(std::shared_ptr<const RemotePrivateKey> remote, std::shared_ptr<const PublicKey> public_key,
                       std::string unwrapped_outside)
    : remote_(std::move(remote)),
      public_key_(std::move(public_key)),
      unwrapped_outside_(std::move(unwrapped_outside)) {}

EVP_PKEY* PrivateKey::pkey() const {
  if (remote_ == nullptr) return key_.get();
  throw Error(Code::kNotExportable, "the private key is in a token, which does not give it out");
}

PrivateKey PrivateKey::generate(int bits) {
  if (bits != 2048 && bits != 3072 && bits != 4096) {
    throw Error(Code::kInvalidArgument, "RSA keys are made with 2048, 3072 or 4096 bits, not " + std::to_string(bits));
  }
  const Module& module = Module::get();
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(module.context(), "RSA", module.properties()));
  EVP_PKEY* key = nullptr;
  bool ok = context != nullptr && EVP_PKEY_keygen_init(context.get()) == 1 &&
            EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), bits) == 1 && EVP_PKEY_generate(context.get(), &key) == 1;
  require_openssl(ok, "generating an RSA key");
  return PrivateKey(PkeyPtr(key), "");
}

PrivateKey PrivateKey::generate(EcCurve curve) {
  return PrivateKey(generate_ec_key(curve), "");
}

SecretKey PrivateKey::unwrap(ByteView wrapped) const {
  SecretBytes key = decrypt_oaep(wrapped);
  if (key.size() != SecretKey::kLength) throw Error(Code::kTampered, kDoesNotOpen);
  return SecretKey(KeyUse::kContent, view(key));
}

std::optional<SecretKey> PrivateKey::try_unwrap(ByteView wrapped) const {
  SecretBytes key;
  if (remote_ != nullptr || public_key_->algorithm() != "RSA") {
    try {
      return unwrap(wrapped);
    } catch (const Error& error) {
      if (error.code() != Code::kTampered) throw;
      return std::nullopt;
    }
  }
  if (!open_oaep(wrapped, key) || key.size() != SecretKey::kLength) return std::nullopt;
  return SecretKey(KeyUse::kContent, view(key));
}

SecretBytes PrivateKey::decrypt_oaep(ByteView wrapped) const {
  if (public_key_->algorithm() != "RSA") {
    throw Error(Code::kNotApproved, "wrapped keys are opened with RSA keys, not " + public_key_->algorithm());
  }
  if (remote_ != nullptr) return remote_->decrypt_oaep(wrapped);
  SecretBytes message;
  if (!open_oaep(wrapped, message)) throw Error(Code::kTampered, kDoesNotOpen);
  return message;
}

bool PrivateKey::open_oaep(ByteView wrapped, SecretBytes& message) const {
  const int before = std::exchange(errno, 0);
  PkeyCtxPtr context = contexts_->take(key_.get());
  message.resize(public_key_->modulus_bytes());
  size_t length = message.size();
  bool ok = wrapped.size() == public_key_->modulus_bytes() &&
            EVP_PKEY_decrypt(context.get(), message.data(), &length, wrapped.data(), wrapped.size()) == 1;
  take_openssl_errors();
  // Also after a failure, so that the next operation is not slower for it. But where memory ran out, also while it was
  // prepared, the context is not what it should be: it would open nothing any more.
  if (errno != ENOMEM) {
    contexts_->give_back(std::move(context));
    errno = before;
  }
  if (ok) message.resize(length);
  return ok;
}

}  // namespace callseal
