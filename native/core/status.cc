// Module::status: evidence, not a claim. Each row is an operation really done in the module, with what it says of
// itself.
#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/rsa.h>

#include <functional>

#include "error.h"
#include "file.h"
#include "isolation.h"
#include "module.h"
#include "rsa_key.h"

namespace callseal {
namespace {

constexpr char kIndicator[] = "fips-indicator";  // OpenSSL 3.4 and later
constexpr char kIvGenerated[] = "iv-generated";

// What an operation's context answers to one integer parameter; -1 when it does not know it.
template <typename Context, typename Getter>
int integer_param(Context* context, Getter getter, const char* name) {
  int value = -1;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_int(name, &value), OSSL_PARAM_construct_end()};
  if (getter(context, params) != 1 || OSSL_PARAM_modified(params) == 0) return -1;
  return value;
}

std::string provider_of(const OSSL_PROVIDER* provider) {
  return provider == nullptr ? "" : OSSL_PROVIDER_get0_name(provider);
}

// 48 distinct bytes: a key, an IV and a message for the trial operations. Not a secret: nothing real is encrypted here.
struct TrialBytes {
  uint8_t bytes[48];
  TrialBytes() {
    for (int i = 0; i < 48; ++i) bytes[i] = static_cast<uint8_t>(i * 5 + 3);
  }
};

AlgorithmStatus try_cipher(const Module& module, const char* name, const char* operation, bool encrypt, bool own_iv) {
  AlgorithmStatus row{name, operation, "", -1};
  TrialBytes trial;
  uint8_t out[64];
  int length = 0;
  try {
    CipherPtr cipher = module.fetch_cipher(name);
    CipherCtxPtr context(EVP_CIPHER_CTX_new());
    if (context == nullptr) return row;
    EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    const uint8_t* iv = own_iv || EVP_CIPHER_get_mode(cipher.get()) == EVP_CIPH_WRAP_MODE ? nullptr : trial.bytes + 32;
    if (EVP_CipherInit_ex2(context.get(), cipher.get(), trial.bytes, iv, encrypt ? 1 : 0, nullptr) == 1 &&
        EVP_CipherUpdate(context.get(), out, &length, trial.bytes, 32) == 1) {
      row.provider = provider_of(EVP_CIPHER_get0_provider(cipher.get()));
      row.indicator = integer_param(context.get(), EVP_CIPHER_CTX_get_params, own_iv ? kIvGenerated : kIndicator);
    } else if (!encrypt && length == 0) {
      // Key unwrap of trial bytes cannot succeed; that it was offered is all there is to see.
      row.provider = provider_of(EVP_CIPHER_get0_provider(cipher.get()));
    }
  } catch (const Error&) {
    // Not offered: the row says so.
  }
  return row;
}

AlgorithmStatus try_hmac(const Module& module, const char* name, const char* operation, const char* digest) {
  AlgorithmStatus row{name, operation, "", -1};
  TrialBytes trial;
  MacCtxPtr context(EVP_MAC_CTX_new(module.hmac()));
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(digest), 0),
                         OSSL_PARAM_construct_end()};
  if (context != nullptr && EVP_MAC_init(context.get(), trial.bytes, 32, params) == 1) {
    row.provider = provider_of(EVP_MAC_get0_provider(module.hmac()));
    row.indicator = integer_param(context.get(), EVP_MAC_CTX_get_params, kIndicator);
  }
  return row;
}

AlgorithmStatus try_kdf(EVP_KDF* kdf, const char* name, const char* operation, std::vector<OSSL_PARAM> params) {
  AlgorithmStatus row{name, operation, "", -1};
  uint8_t out[32];
  KdfCtxPtr context(EVP_KDF_CTX_new(kdf));
  params.push_back(OSSL_PARAM_construct_end());
  if (context != nullptr && EVP_KDF_derive(context.get(), out, sizeof out, params.data()) == 1) {
    row.provider = provider_of(EVP_KDF_get0_provider(kdf));
    row.indicator = integer_param(context.get(), EVP_KDF_CTX_get_params, kIndicator);
  }
  return row;
}

AlgorithmStatus try_kbkdf(const Module& module) {
  static TrialBytes trial;
  static char mode[] = "counter", mac[] = "HMAC", digest[] = "SHA2-256";
  return try_kdf(module.kbkdf(), "KBKDF-HMAC-SHA-256", "derive a file's keys",
                 {OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, mode, 0),
                  OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, mac, 0),
                  OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                  OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, trial.bytes, 32),
                  OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, trial.bytes + 32, 8)});
}

AlgorithmStatus try_hkdf(const Module& module) {
  static TrialBytes trial;
  static char digest[] = "SHA2-384";
  static int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  return try_kdf(module.hkdf(), "HKDF-Expand-SHA-384", "derive FLOE keys",
                 {OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                  OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                  OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, trial.bytes, 48),
                  OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, trial.bytes, 8)});
}

using PkeyOperation = std::function<bool(EVP_PKEY_CTX*)>;

AlgorithmStatus try_rsa(const Module& module, EVP_PKEY* key, const char* name, const char* operation,
                        const PkeyOperation& run) {
  AlgorithmStatus row{name, operation, "", -1};
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(module.context(), key, module.properties()));
  if (context != nullptr && run(context.get())) {
    row.provider = provider_of(EVP_PKEY_get0_provider(key));
    row.indicator = integer_param(context.get(), EVP_PKEY_CTX_get_params, kIndicator);
  }
  return row;
}

// The way PrivateKey::sign does it: 3.5.7's indicator denies PSS when the digest is signed directly (EVP_PKEY_sign).
AlgorithmStatus try_signature(const Module& module, EVP_PKEY* key, const char* name, SignatureScheme scheme) {
  AlgorithmStatus row{name, "sign", "", -1};
  TrialBytes trial;
  uint8_t signature[256];
  size_t length = sizeof signature;
  DigestCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* operation = nullptr;  // owned by `context`
  const bool done = context != nullptr &&
                    EVP_DigestSignInit_ex(context.get(), &operation, signature_digest(scheme), module.context(),
                                          module.properties(), key, nullptr) == 1 &&
                    set_signature_padding(operation, scheme) &&
                    EVP_DigestSign(context.get(), signature, &length, trial.bytes, sizeof trial.bytes) == 1;
  if (done) {
    row.provider = provider_of(EVP_PKEY_get0_provider(key));
    row.indicator = integer_param(operation, EVP_PKEY_CTX_get_params, kIndicator);
  }
  return row;
}

void try_rsa_operations(const Module& module, std::vector<AlgorithmStatus>& rows) {
  PkeyPtr key;
  rows.push_back(AlgorithmStatus{"RSA-2048", "generate a key pair", "", -1});
  PkeyCtxPtr generator(EVP_PKEY_CTX_new_from_name(module.context(), "RSA", module.properties()));
  EVP_PKEY* generated = nullptr;
  if (generator == nullptr || EVP_PKEY_keygen_init(generator.get()) != 1 ||
      EVP_PKEY_CTX_set_rsa_keygen_bits(generator.get(), 2048) != 1 ||
      EVP_PKEY_generate(generator.get(), &generated) != 1) {
    return;
  }
  key.reset(generated);
  rows.back().provider = provider_of(EVP_PKEY_get0_provider(key.get()));
  rows.back().indicator = integer_param(generator.get(), EVP_PKEY_CTX_get_params, kIndicator);

  TrialBytes trial;
  uint8_t wrapped[256];
  uint8_t opened[256];
  size_t length = sizeof wrapped;
  rows.push_back(try_rsa(module, key.get(), "RSA-OAEP-SHA-256", "wrap a content key", [&](EVP_PKEY_CTX* context) {
    return EVP_PKEY_encrypt_init(context) == 1 && set_oaep_sha256(context) &&
           EVP_PKEY_encrypt(context, wrapped, &length, trial.bytes, 32) == 1;
  }));
  rows.push_back(try_rsa(module, key.get(), "RSA-OAEP-SHA-256", "open a content key", [&](EVP_PKEY_CTX* context) {
    size_t out = sizeof opened;
    return EVP_PKEY_decrypt_init(context) == 1 && set_oaep_sha256(context) &&
           EVP_PKEY_decrypt(context, opened, &out, wrapped, length) == 1;
  }));
  rows.push_back(try_signature(module, key.get(), "RSA-PSS-SHA-256", SignatureScheme::kPssSha256));
  rows.push_back(try_signature(module, key.get(), "RSA-PKCS1-v1.5-SHA-256", SignatureScheme::kPkcs1Sha256));
  rows.push_back(try_signature(module, key.get(), "RSA-PKCS1-v1.5-SHA-1", SignatureScheme::kPkcs1Sha1));
}

void try_ecdsa(const Module& module, std::vector<AlgorithmStatus>& rows, EcCurve curve, const char* name,
               SignatureScheme scheme) {
  try {
    rows.push_back(try_signature(module, generate_ec_key(curve).get(), name, scheme));
  } catch (const Error&) {
    rows.push_back(AlgorithmStatus{name, "sign", "", -1});
  }
}

std::string text_param(const OSSL_PROVIDER* provider, const char* name) {
  const char* text = nullptr;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_ptr(name, const_cast<char**>(&text), 0), OSSL_PARAM_construct_end()};
  if (OSSL_PROVIDER_get_params(provider, params) != 1 || text == nullptr) return "";
  return text;
}

std::string sha256_of_file(const Module& module, const std::string& path) {
  InputFile file(path);
  DigestCtxPtr context(EVP_MD_CTX_new());
  bool ok = context != nullptr && EVP_DigestInit_ex2(context.get(), module.sha256(), nullptr) == 1;
  Bytes block(size_t{1} << 16);
  for (uint64_t at = 0; ok && at < file.size();) {
    size_t length = static_cast<size_t>(std::min<uint64_t>(file.size() - at, block.size()));
    file.read_exactly(at, block.data(), length);
    ok = EVP_DigestUpdate(context.get(), block.data(), length) == 1;
    at += length;
  }
  uint8_t digest[32];
  unsigned int length = 0;
  require_openssl(ok && EVP_DigestFinal_ex(context.get(), digest, &length) == 1, "hashing the provider's file");
  std::string text;
  for (uint8_t byte : digest) {
    char pair[3];
    snprintf(pair, sizeof pair, "%02x", byte);
    text += pair;
  }
  return text;
}

void describe_provider(const Module& module, const OSSL_PROVIDER* provider, ModuleStatus& status) {
  status.provider_name = text_param(provider, OSSL_PROV_PARAM_NAME);
  status.provider_version = text_param(provider, OSSL_PROV_PARAM_VERSION);
  status.provider_build_info = text_param(provider, OSSL_PROV_PARAM_BUILDINFO);
  int running = 0;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_PROV_PARAM_STATUS, &running), OSSL_PARAM_construct_end()};
  status.provider_running = OSSL_PROVIDER_get_params(provider, params) == 1 && running == 1;
  // Runs the module's known-answer tests again, now.
  status.provider_self_test = OSSL_PROVIDER_self_test(provider) == 1;
  const OSSL_DISPATCH* dispatch = OSSL_PROVIDER_get0_dispatch(provider);
  Dl_info info{};
  if (dispatch != nullptr && dladdr(reinterpret_cast<const void*>(dispatch->function), &info) != 0) {
    status.provider_path = info.dli_fname;
    status.provider_sha256 = sha256_of_file(module, status.provider_path);
  }
}

}  // namespace

ModuleStatus Module::status() const {
  ModuleStatus status;
  status.mode = options_.mode;
  Isolation isolation = prove_isolation();
  status.addon_resolves_to = isolation.addon_resolves_to;
  status.libcrypto_resolves_to = isolation.libcrypto_resolves_to;
  status.libcrypto_path = isolation.libcrypto_path;
  status.libcrypto_version = OpenSSL_version(OPENSSL_VERSION);
  describe_provider(*this, provider_.get(), status);

  std::vector<AlgorithmStatus>& rows = status.algorithms;
  rows.push_back(try_cipher(*this, "AES-256-GCM", "encrypt, IV made in the module", true, true));
  rows.push_back(try_cipher(*this, "AES-256-GCM", "decrypt", false, false));
  rows.push_back(try_hkdf(*this));
  rows.push_back(try_kbkdf(*this));
  rows.push_back(try_hmac(*this, "HMAC-SHA-256", "authenticate the recipients", "SHA2-256"));
  rows.push_back(try_hmac(*this, "HMAC-SHA-1", "authenticate records", "SHA1"));
  try_rsa_operations(*this, rows);
  try_ecdsa(*this, rows, EcCurve::kP256, "ECDSA-P256-SHA-256", SignatureScheme::kEcdsaP256Sha256);
  try_ecdsa(*this, rows, EcCurve::kP384, "ECDSA-P384-SHA-384", SignatureScheme::kEcdsaP384Sha384);
  rows.push_back(try_cipher(*this, "AES-256-WRAP-PAD", "wrap a key", true, false));
  rows.push_back(try_cipher(*this, "AES-256-CBC", "encrypt", true, false));
  rows.push_back(try_cipher(*this, "DES-EDE3-CBC", "encrypt", true, false));
  rows.push_back(try_cipher(*this, "DES-EDE3-CBC", "decrypt", false, false));
  take_openssl_errors();
  return status;
}

}  // namespace callseal
