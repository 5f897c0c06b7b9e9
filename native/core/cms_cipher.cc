#include "cms_cipher.h"

#include "error.h"
#include "module.h"
#include "out_of_memory.h"

namespace callseal {
namespace {

CipherCtxPtr new_context() {
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  require_openssl(context != nullptr, "allocating a cipher context");
  return context;
}

}  // namespace

// No IV is passed, so that the module makes one.
CmsEncryptor::CmsEncryptor(const SecretKey& key) : context_(new_context()) {
  bool ok = EVP_EncryptInit_ex2(context_.get(), Module::get().aes256_gcm(), key.bytes_for(KeyUse::kCms).data(), nullptr,
                                nullptr) == 1;
  require_openssl(ok, "starting AES-256-GCM encryption");
}

CmsNonce CmsEncryptor::nonce() const {
  CmsNonce nonce{};
  require_openssl(EVP_CIPHER_CTX_get_updated_iv(context_.get(), nonce.data(), nonce.size()) == 1,
                  "reading the nonce of AES-256-GCM");
  return nonce;
}

void CmsEncryptor::update(ByteView plaintext, uint8_t* out) {
  int length = 0;
  require_openssl(plaintext.empty() || EVP_EncryptUpdate(context_.get(), out, &length, plaintext.data(),
                                                         static_cast<int>(plaintext.size())) == 1,
                  "AES-256-GCM encryption");
}

CmsTag CmsEncryptor::finish() {
  CmsTag tag{};
  uint8_t nothing[kCmsTagLength];
  int length = 0;
  bool ok = EVP_EncryptFinal_ex(context_.get(), nothing, &length) == 1 &&
            EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag.size()), tag.data()) == 1;
  require_openssl(ok, "ending AES-256-GCM encryption");
  return tag;
}

CmsDecryptor::CmsDecryptor(const SecretKey& key, const CmsNonce& nonce) : context_(new_context()) {
  bool ok = EVP_DecryptInit_ex2(context_.get(), Module::get().aes256_gcm(), key.bytes_for(KeyUse::kCms).data(),
                                nonce.data(), nullptr) == 1;
  require_openssl(ok, "starting AES-256-GCM decryption");
}

void CmsDecryptor::update(ByteView ciphertext, uint8_t* out) {
  int length = 0;
  require_openssl(ciphertext.empty() || EVP_DecryptUpdate(context_.get(), out, &length, ciphertext.data(),
                                                          static_cast<int>(ciphertext.size())) == 1,
                  "AES-256-GCM decryption");
}

void CmsDecryptor::finish(const CmsTag& tag) {
  CmsTag expected = tag;
  uint8_t nothing[kCmsTagLength];
  int length = 0;
  require_openssl(EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(expected.size()),
                                      expected.data()) == 1,
                  "setting an AES-256-GCM tag");
  forget_memory();
  const bool authentic = EVP_DecryptFinal_ex(context_.get(), nothing, &length) == 1;
  take_openssl_errors();
  if (!authentic) throw Error(Code::kTampered, "the message fails authentication");
}

}  // namespace callseal
