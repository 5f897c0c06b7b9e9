#include <openssl/err.h>
#include <openssl/proverr.h>
#include <openssl/rsa.h>

#include "error.h"
#include "module.h"
#include "openssl_ptr.h"
#include "raw_operations.h"

namespace callseal::raw {
namespace {

PkeyPtr public_key(ByteView spki) {
  const Module& module = Module::get();
  ScopedDefaultContext scope(module.context());
  const uint8_t* cursor = spki.data();
  PkeyPtr key(d2i_PUBKEY_ex(nullptr, &cursor, static_cast<long>(spki.size()), module.context(), module.properties()));
  if (key == nullptr || cursor != spki.end()) refuse("this public key");
  return key;
}

PkeyPtr private_key(ByteView pkcs8) {
  const Module& module = Module::get();
  ScopedDefaultContext scope(module.context());
  const uint8_t* cursor = pkcs8.data();
  PkeyPtr key(
      d2i_AutoPrivateKey_ex(nullptr, &cursor, static_cast<long>(pkcs8.size()), module.context(), module.properties()));
  if (key == nullptr || cursor != pkcs8.end()) refuse("this private key");
  return key;
}

PkeyCtxPtr operation_context(EVP_PKEY* key) {
  const Module& module = Module::get();
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(module.context(), key, module.properties()));
  require_openssl(context != nullptr, "preparing an RSA operation");
  return context;
}

// The digests' property query stays null: a non-null one fails on OpenSSL 3.0 and 3.1.2.
bool set_oaep(EVP_PKEY_CTX* context, const std::string& digest, const std::string& mgf1_digest, ByteView label) {
  bool ok = EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
            EVP_PKEY_CTX_set_rsa_oaep_md_name(context, digest.c_str(), nullptr) == 1 &&
            EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, mgf1_digest.c_str(), nullptr) == 1;
  if (!ok || label.empty()) return ok;
  void* copy = OPENSSL_memdup(label.data(), label.size());  // the context takes it over when it accepts it
  if (copy != nullptr && EVP_PKEY_CTX_set0_rsa_oaep_label(context, copy, static_cast<int>(label.size())) == 1) {
    return true;
  }
  OPENSSL_free(copy);
  return false;
}

DigestCtxPtr start_verification(EVP_PKEY* key, const std::string& digest, EVP_PKEY_CTX** operation) {
  const Module& module = Module::get();
  DigestCtxPtr context(EVP_MD_CTX_new());
  require_openssl(context != nullptr, "allocating a digest context");
  if (EVP_DigestVerifyInit_ex(context.get(), operation, digest.c_str(), module.context(), module.properties(), key,
                              nullptr) != 1) {
    refuse("signatures with " + digest + " under this key");
  }
  return context;
}

bool is_right(EVP_MD_CTX* context, ByteView data, ByteView signature) {
  int result = EVP_DigestVerify(context, signature.data(), signature.size(), data.data(), data.size());
  // A strict module looks at the length of a PSS salt only now, and says so in the error queue alone.
  unsigned long error = ERR_peek_last_error();
  if (ERR_GET_LIB(error) == ERR_LIB_PROV && ERR_GET_REASON(error) == PROV_R_INVALID_SALT_LENGTH) {
    refuse("this RSA-PSS salt length");
  }
  take_openssl_errors();
  return result == 1;
}

}  // namespace

Bytes oaep_encrypt(ByteView spki, const std::string& digest, const std::string& mgf1_digest, ByteView label,
                   ByteView plaintext) {
  require_digest(digest);
  require_digest(mgf1_digest);
  PkeyPtr key = public_key(spki);
  PkeyCtxPtr context = operation_context(key.get());
  Bytes out(static_cast<size_t>(EVP_PKEY_get_size(key.get())));
  size_t length = out.size();
  bool ok = EVP_PKEY_encrypt_init(context.get()) == 1 && set_oaep(context.get(), digest, mgf1_digest, label) &&
            EVP_PKEY_encrypt(context.get(), out.data(), &length, plaintext.data(), plaintext.size()) == 1;
  if (!ok) refuse("RSA-OAEP encryption under this key");
  out.resize(length);
  return out;
}

Bytes oaep_decrypt(ByteView pkcs8, const std::string& digest, const std::string& mgf1_digest, ByteView label,
                   ByteView ciphertext) {
  require_digest(digest);
  require_digest(mgf1_digest);
  PkeyPtr key = private_key(pkcs8);
  PkeyCtxPtr context = operation_context(key.get());
  if (EVP_PKEY_decrypt_init(context.get()) != 1 || !set_oaep(context.get(), digest, mgf1_digest, label)) {
    refuse("RSA-OAEP decryption under this key");
  }
  Bytes out(static_cast<size_t>(EVP_PKEY_get_size(key.get())));
  size_t length = out.size();
  if (EVP_PKEY_decrypt(context.get(), out.data(), &length, ciphertext.data(), ciphertext.size()) != 1) {
    throw Error::openssl(Code::kTampered, "RSA-OAEP decoding fails");
  }
  out.resize(length);
  return out;
}

bool pss_verify(ByteView spki, const std::string& digest, const std::string& mgf1_digest, int salt_length,
                ByteView data, ByteView signature) {
  require_digest(digest);
  require_digest(mgf1_digest);
  PkeyPtr key = public_key(spki);
  EVP_PKEY_CTX* operation = nullptr;  // owned by `context`
  DigestCtxPtr context = start_verification(key.get(), digest, &operation);
  bool ready = EVP_PKEY_CTX_set_rsa_padding(operation, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md_name(operation, mgf1_digest.c_str(), nullptr) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(operation, salt_length) == 1;
  if (!ready) refuse("these RSA-PSS parameters");
  return is_right(context.get(), data, signature);
}

bool pkcs1_verify(ByteView spki, const std::string& digest, ByteView data, ByteView signature) {
  require_digest(digest);
  PkeyPtr key = public_key(spki);
  EVP_PKEY_CTX* operation = nullptr;  // owned by `context`
  DigestCtxPtr context = start_verification(key.get(), digest, &operation);
  if (EVP_PKEY_CTX_set_rsa_padding(operation, RSA_PKCS1_PADDING) != 1) refuse("PKCS#1 v1.5 signatures");
  return is_right(context.get(), data, signature);
}

Bytes pkcs1_sign(ByteView pkcs8, const std::string& digest, ByteView data) {
  require_digest(digest);
  const Module& module = Module::get();
  PkeyPtr key = private_key(pkcs8);
  DigestCtxPtr context(EVP_MD_CTX_new());
  require_openssl(context != nullptr, "allocating a digest context");
  EVP_PKEY_CTX* operation = nullptr;  // owned by `context`
  Bytes signature(static_cast<size_t>(EVP_PKEY_get_size(key.get())));
  size_t length = signature.size();
  bool ok = EVP_DigestSignInit_ex(context.get(), &operation, digest.c_str(), module.context(), module.properties(),
                                  key.get(), nullptr) == 1 &&
            EVP_PKEY_CTX_set_rsa_padding(operation, RSA_PKCS1_PADDING) == 1 &&
            EVP_DigestSign(context.get(), signature.data(), &length, data.data(), data.size()) == 1;
  if (!ok) refuse("PKCS#1 v1.5 signing with " + digest + " under this key");
  signature.resize(length);
  return signature;
}

}  // namespace callseal::raw
