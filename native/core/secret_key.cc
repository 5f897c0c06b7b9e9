#include "secret_key.h"

#include <openssl/rand.h>

#include "error.h"
#include "kbkdf.h"
#include "key_wrap.h"
#include "module.h"
#include "openssl_ptr.h"
#include "out_of_memory.h"

namespace callseal {
namespace {

constexpr size_t kGcmIvLength = 12;
constexpr size_t kGcmTagLength = 16;
constexpr size_t kMaxMessage = size_t{1} << 30;  // EVP lengths are int

CipherCtxPtr new_cipher_context() {
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  require_openssl(context != nullptr, "allocating a cipher context");
  return context;
}

void require_message_size(size_t size) {
  if (size > kMaxMessage) throw Error(Code::kInvalidArgument, "a single message is limited to 1 GiB");
}

}  // namespace

const char* key_use_name(KeyUse use) {
  switch (use) {
    case KeyUse::kContent:
      return "content";
    case KeyUse::kMac:
      return "mac";
    case KeyUse::kFloe:
      return "floe";
    case KeyUse::kGcm:
      return "gcm";
    case KeyUse::kWrap:
      return "wrap";
    case KeyUse::kCms:
      return "cms";
  }
  return "unknown";
}

SecretKey::SecretKey(KeyUse use, ByteView bytes) : use_(use), bytes_(bytes.begin(), bytes.end()) {
  if (bytes.size() != kLength) throw Error(Code::kInvalidArgument, "a secret key has exactly 32 bytes");
}

SecretKey SecretKey::generate(KeyUse use) {
  SecretBytes bytes(kLength);
  require_openssl(RAND_priv_bytes_ex(Module::get().context(), bytes.data(), bytes.size(), 256) == 1,
                  "generating a key");
  return SecretKey(use, view(bytes));
}

ByteView SecretKey::bytes_for(KeyUse use) const {
  if (use != use_) {
    throw Error(Code::kKeyUse, std::string("a ") + key_use_name(use_) + " key cannot be used as a " +
                                   key_use_name(use) + " key; each key has one purpose");
  }
  return view(bytes_);
}

SecretKey SecretKey::derive(KeyUse use, ByteView label, ByteView context) const {
  if (use != KeyUse::kMac && use != KeyUse::kFloe) {
    throw Error(Code::kKeyUse, "a content key derives mac and floe keys only");
  }
  return SecretKey(use, view(derive_kbkdf(bytes_for(KeyUse::kContent), label, context, kLength)));
}

void SecretKey::mac(std::initializer_list<ByteView> parts, uint8_t* out) const {
  ByteView key = bytes_for(KeyUse::kMac);
  MacCtxPtr mac(EVP_MAC_CTX_new(Module::get().hmac()));
  require_openssl(mac != nullptr, "allocating an HMAC context");
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("SHA2-256"), 0),
      OSSL_PARAM_construct_end(),
  };
  bool ok = EVP_MAC_init(mac.get(), key.data(), key.size(), params) == 1;
  for (ByteView part : parts) ok = ok && EVP_MAC_update(mac.get(), part.data(), part.size()) == 1;
  size_t length = 0;
  ok = ok && EVP_MAC_final(mac.get(), out, &length, kMacLength) == 1 && length == kMacLength;
  require_openssl(ok, "computing an HMAC");
}

bool SecretKey::verify_mac(ByteView data, ByteView tag) const {
  uint8_t expected[kMacLength];
  mac({data}, expected);
  bool equal = tag.size() == kMacLength && CRYPTO_memcmp(expected, tag.data(), kMacLength) == 0;
  OPENSSL_cleanse(expected, sizeof expected);
  return equal;
}

Bytes SecretKey::encrypt_gcm(ByteView plaintext, ByteView aad) const {
  ByteView key = bytes_for(KeyUse::kGcm);
  require_message_size(plaintext.size());
  require_message_size(aad.size());
  CipherCtxPtr cipher = new_cipher_context();
  Bytes sealed(kGcmIvLength + plaintext.size() + kGcmTagLength);
  uint8_t* text = sealed.data() + kGcmIvLength;
  int length = 0;
  // No IV is passed: the module makes one at the first update, which the empty AAD update is too.
  bool ok = EVP_EncryptInit_ex2(cipher.get(), Module::get().aes256_gcm(), key.data(), nullptr, nullptr) == 1 &&
            EVP_EncryptUpdate(cipher.get(), nullptr, &length, aad.data(), static_cast<int>(aad.size())) == 1 &&
            EVP_EncryptUpdate(cipher.get(), text, &length, plaintext.data(), static_cast<int>(plaintext.size())) == 1 &&
            EVP_EncryptFinal_ex(cipher.get(), text + plaintext.size(), &length) == 1 &&
            EVP_CIPHER_CTX_get_updated_iv(cipher.get(), sealed.data(), kGcmIvLength) == 1 &&
            EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kGcmTagLength, text + plaintext.size()) == 1;
  require_openssl(ok, "AES-256-GCM encryption");
  return sealed;
}

SecretBytes SecretKey::decrypt_gcm(ByteView sealed, ByteView aad) const {
  ByteView key = bytes_for(KeyUse::kGcm);
  require_message_size(sealed.size());
  require_message_size(aad.size());
  if (sealed.size() < kGcmIvLength + kGcmTagLength) {
    throw Error(Code::kTampered, "an AES-256-GCM message has at least 28 bytes");
  }
  size_t length = sealed.size() - kGcmIvLength - kGcmTagLength;
  SecretBytes plaintext(length);
  CipherCtxPtr cipher = new_cipher_context();
  uint8_t tag[kGcmTagLength];
  std::copy(sealed.end() - kGcmTagLength, sealed.end(), tag);
  int written = 0;
  bool ready = EVP_DecryptInit_ex2(cipher.get(), Module::get().aes256_gcm(), key.data(), sealed.data(), nullptr) == 1 &&
               EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kGcmTagLength, tag) == 1;
  require_openssl(ready, "starting AES-256-GCM decryption");
  forget_memory();
  bool authentic = EVP_DecryptUpdate(cipher.get(), nullptr, &written, aad.data(), static_cast<int>(aad.size())) == 1 &&
                   EVP_DecryptUpdate(cipher.get(), plaintext.data(), &written, sealed.data() + kGcmIvLength,
                                     static_cast<int>(length)) == 1 &&
                   EVP_DecryptFinal_ex(cipher.get(), plaintext.data() + length, &written) == 1;
  take_openssl_errors();
  if (!authentic) throw Error(Code::kTampered, "the message fails AES-256-GCM authentication");
  return plaintext;
}

Bytes SecretKey::wrap_key(const SecretKey& key) const {
  return wrap_kwp(bytes_for(KeyUse::kWrap), view(key.bytes_));
}

SecretKey SecretKey::unwrap_key(ByteView wrapped, KeyUse use) const {
  ByteView wrapping_key = bytes_for(KeyUse::kWrap);
  if (wrapped.size() != kwp_length(kLength)) throw Error(Code::kTampered, "a wrapped key has exactly 40 bytes");
  std::optional<SecretBytes> key = unwrap_kwp(wrapping_key, wrapped, kLength);
  if (!key) throw Error(Code::kTampered, "the wrapped key fails its integrity check");
  return SecretKey(use, view(*key));
}

}  // namespace callseal
