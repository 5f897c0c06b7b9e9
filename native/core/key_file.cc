#include "key_file.h"

#include <openssl/decoder.h>
#include <openssl/objects.h>

#include "der_shape.h"
#include "ec_private_key_der.h"
#include "error.h"
#include "key_objects.h"
#include "module.h"
#include "pkcs12.h"
#include "quiet_errors.h"
#include "rsa_private_key_der.h"
#include "secret_file.h"

namespace callseal {
namespace {

using DecoderCtxPtr = OpensslPtr<OSSL_DECODER_CTX, OSSL_DECODER_CTX_free>;

// Name of the algorithm of a plain private key that is not RSA, for messages.
std::string key_algorithm(ByteView der, DerShape shape) {
  if (shape == DerShape::kSec1) return "EC";
  if (shape == DerShape::kDsa) return "DSA";
  const uint8_t* cursor = der.data();
  Pkcs8InfoPtr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(der.size())));
  const X509_ALGOR* algorithm = nullptr;
  if (info == nullptr || PKCS8_pkey_get0(nullptr, nullptr, nullptr, &algorithm, info.get()) != 1) return "damaged";
  char name[80];
  return OBJ_obj2txt(name, sizeof name, algorithm->algorithm, 0) > 0 ? name : "unknown";
}

// Decodes a key of any algorithm in the module's context; null when the module cannot hold it. OpenSSL's decoders
// leave copies of the key in freed memory, so the keys that are ever used do not come here: RSA, P-256 and P-384 (but
// for the rare file without its public key, which has to be computed).
PkeyPtr decode_other_key(ByteView der, DerShape shape) {
  const Module& module = Module::get();
  ScopedDefaultContext scope(module.context());
  const char* structure = shape == DerShape::kPkcs8 ? "PrivateKeyInfo" : "type-specific";
  EVP_PKEY* key = nullptr;
  DecoderCtxPtr decoder(OSSL_DECODER_CTX_new_for_pkey(&key, "DER", structure, nullptr, EVP_PKEY_KEYPAIR,
                                                      module.context(), module.properties()));
  require_openssl(decoder != nullptr, "preparing to decode a private key");
  // Without one OpenSSL would ask on the terminal, should the bytes turn out to be encrypted after all.
  static const uint8_t kNoPassphrase = 0;
  OSSL_DECODER_CTX_set_passphrase(decoder.get(), &kNoPassphrase, 0);
  const uint8_t* cursor = der.data();
  size_t left = der.size();
  bool ok = OSSL_DECODER_from_data(decoder.get(), &cursor, &left) == 1;
  PkeyPtr owned(key);
  return ok ? std::move(owned) : nullptr;
}

// Signs and verifies once.
bool signs(const PrivateKey& key, SignatureScheme scheme) {
  static constexpr uint8_t kTrial[] = {0};
  return key.public_key()->verify(scheme, kTrial, key.sign(scheme, kTrial));
}

// Wraps and unwraps once. A damaged file can hold numbers that do not fit together, which nobody notices until a
// recording does not open; better to say now whose fault it is. Keys that are never used are left unchecked.
bool numbers_fit(const PrivateKey& key) {
  const PublicKey& public_key = *key.public_key();
  if (public_key.algorithm() == "EC" && public_key.writer_scheme()) return signs(key, *public_key.writer_scheme());
  if (public_key.algorithm() != "RSA" || public_key.bits() < kMinRsaBits || public_key.bits() > kMaxRsaBits ||
      !public_key.has_approved_exponent()) {
    return true;
  }
  try {
    SecretKey secret = SecretKey::generate(KeyUse::kContent);
    Bytes wrapped(public_key.modulus_bytes());
    public_key.wrap(secret, wrapped.data());
    SecretKey opened = key.unwrap(wrapped);
    return CRYPTO_memcmp(opened.bytes_for(KeyUse::kContent).data(), secret.bytes_for(KeyUse::kContent).data(),
                         SecretKey::kLength) == 0;
  } catch (const Error&) {
    return false;
  }
}

// One attempt to get a private key out of an object.
class Loader {
 public:
  Loader(const Passphrase* passphrase, const std::string& path, const KdfLimits& limits)
      : path_(path), decryptor_(path, limits) {
    if (passphrase != nullptr) passphrase_ = passphrase->bytes();
  }

  PrivateKey load(const KeyObject& object) {
    if (!object.damage.empty()) decryptor_.unreadable(object.where() + " " + object.damage);
    if (!object.dek_info.empty()) return load_traditional(object);
    switch (object.shape) {
      case DerShape::kEncryptedPkcs8:
        return load_encrypted_pkcs8(object);
      case DerShape::kPkcs12: {
        SecretBytes der = read_pkcs12(view(object.der), passphrase_ ? &*passphrase_ : nullptr, path_, decryptor_);
        return decode(view(der), DerShape::kPkcs8);
      }
      default:
        if (!is_private_key(object.shape))
          decryptor_.unreadable(object.where() + " holds no known form of private key");
        return decode(view(object.der), object.shape);
    }
  }

 private:
  ByteView require_passphrase(const std::string& form) const {
    if (passphrase_) return *passphrase_;
    throw Error(Code::kPassphraseRequired,
                path_ + ": the private key is encrypted (" + form + ") and needs a passphrase");
  }

  PrivateKey load_encrypted_pkcs8(const KeyObject& object) {
    const uint8_t* cursor = object.der.data();
    Pkcs8Ptr encrypted(d2i_X509_SIG(nullptr, &cursor, static_cast<long>(object.der.size())));
    if (encrypted == nullptr) decryptor_.unreadable(object.where() + " is damaged");
    const X509_ALGOR* algorithm = nullptr;
    const ASN1_OCTET_STRING* ciphertext = nullptr;
    X509_SIG_get0(encrypted.get(), &algorithm, &ciphertext);
    std::string form = object.form();
    SecretBytes der = decryptor_.decrypt(algorithm, ByteView(ciphertext->data, static_cast<size_t>(ciphertext->length)),
                                         require_passphrase(form), form);
    return decode_decrypted(der, form);
  }

  PrivateKey load_traditional(const KeyObject& object) {
    std::string form = object.form();
    SecretBytes der = decryptor_.decrypt_traditional(object.dek_info, view(object.der), require_passphrase(form), form);
    return decode_decrypted(der, form);
  }

  // A wrong passphrase that happens to leave good padding leaves bytes that are no private key.
  PrivateKey decode_decrypted(const SecretBytes& der, const std::string& form) {
    DerShape shape = der_shape(view(der));
    bool plain = is_private_key(shape) && shape != DerShape::kEncryptedPkcs8 && shape != DerShape::kPkcs12;
    if (!plain || der_object_length(view(der)) != der.size()) decryptor_.wrong_passphrase(form);
    return decode(view(der), shape);
  }

  PrivateKey decode(ByteView der, DerShape shape) {
    bool is_rsa = is_rsa_private_key(der);
    PkeyPtr key = is_rsa ? decode_rsa_private_key(der) : decode_ec_private_key(der);
    if (key == nullptr && !is_rsa) key = decode_other_key(der, shape);
    if (key == nullptr && is_rsa) {
      decryptor_.unreadable("its RSA numbers are damaged, of more than two primes, or refused by the crypto module");
    }
    if (key == nullptr) {
      decryptor_.unreadable("its " + std::string(der_shape_name(shape)) + " structure (" + key_algorithm(der, shape) +
                            ") is damaged or not supported by the crypto module");
    }
    PrivateKey loaded(std::move(key), decryptor_.outside());
    if (!numbers_fit(loaded)) {
      decryptor_.unreadable("its " + loaded.public_key()->algorithm() +
                            " numbers do not fit together; the file is damaged");
    }
    return loaded;
  }

  const std::string& path_;
  std::optional<ByteView> passphrase_;
  KeyDecryptor decryptor_;
};

}  // namespace

PrivateKey load_private_key(const std::string& path, const Passphrase* passphrase) {
  SecretBytes bytes = read_secret_file(path, kMaxKeyFileBytes, "the private-key file");
  return decode_private_key(view(bytes), passphrase, path);
}

PrivateKey decode_private_key(ByteView bytes, const Passphrase* passphrase, const std::string& path_for_messages,
                              const KdfLimits& limits) {
  QuietErrors quiet;
  if (bytes.size() > kMaxKeyFileBytes) {
    throw Error(Code::kKeyUnreadable, path_for_messages + " is longer than any private-key file (" +
                                          std::to_string(kMaxKeyFileBytes) + " bytes)");
  }
  std::vector<KeyObject> objects = read_key_objects(bytes);
  for (const KeyObject& object : objects) {
    if (object.is_private_key()) return Loader(passphrase, path_for_messages, limits).load(object);
  }
  throw Error(Code::kKeyUnreadable, path_for_messages + " holds no private key: " + describe_objects(bytes, objects));
}

}  // namespace callseal
