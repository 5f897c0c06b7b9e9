#include "triple_des.h"

#include <openssl/rand.h>

#include "error.h"
#include "module.h"
#include "out_of_memory.h"

namespace callseal::triple_des {
namespace {

bool has_odd_parity(uint8_t byte) {
  return __builtin_parity(byte) == 1;
}

// Fetched once and never freed, as everything of Module; null when the module does not offer it.
EVP_CIPHER* cipher() {
  static EVP_CIPHER* const fetched = []() -> EVP_CIPHER* {
    try {
      return Module::get().fetch_cipher("DES-EDE3-CBC").release();
    } catch (const Error&) {
      return nullptr;
    }
  }();
  return fetched;
}

CipherCtxPtr new_context() {
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  require_openssl(context != nullptr, "allocating a cipher context");
  return context;
}

}  // namespace

void set_odd_parity(uint8_t* key) {
  for (size_t i = 0; i < kKeyLength; ++i) key[i] = static_cast<uint8_t>(key[i] ^ (has_odd_parity(key[i]) ? 0 : 1));
}

bool is_sound(ByteView key) {
  if (key.size() != kKeyLength) return false;
  for (uint8_t byte : key) {
    if (!has_odd_parity(byte)) return false;
  }
  const uint8_t* first = key.data();
  const uint8_t* second = first + kBlock;
  const uint8_t* third = second + kBlock;
  return CRYPTO_memcmp(first, second, kBlock) != 0 && CRYPTO_memcmp(second, third, kBlock) != 0 &&
         CRYPTO_memcmp(first, third, kBlock) != 0;
}

SecretBytes generate() {
  SecretBytes key(kKeyLength);
  do {
    require_openssl(RAND_priv_bytes_ex(Module::get().context(), key.data(), key.size(), 256) == 1, "generating a key");
    set_odd_parity(key.data());
  } while (!is_sound(view(key)));
  return key;
}

CipherCtxPtr start_encryption(ByteView key) {
  CipherCtxPtr context = new_context();
  if (cipher() == nullptr || EVP_EncryptInit_ex2(context.get(), cipher(), key.data(), nullptr, nullptr) != 1) {
    throw Error::openssl(Code::kNotApproved,
                         "encrypting with 3DES: the crypto module refuses it, as 3DES encryption is disallowed after "
                         "2023-12-31 (SP 800-131A rev. 2); choose a suite with AES keys, such as aes/aes/sha256");
  }
  return context;
}

CipherCtxPtr start_decryption(ByteView key) {
  CipherCtxPtr context = new_context();
  if (cipher() == nullptr || EVP_DecryptInit_ex2(context.get(), cipher(), key.data(), nullptr, nullptr) != 1) {
    throw Error::openssl(
        Code::kNotApproved,
        "decrypting with 3DES: the crypto module does not offer 3DES; decrypt on a system whose module "
        "does, and move the data to a suite with AES keys, such as aes/aes/sha256");
  }
  return context;
}

void make_iv(uint8_t* out) {
  require_openssl(RAND_bytes_ex(Module::get().context(), out, kBlock, 256) == 1, "generating an IV");
}

void encrypt(EVP_CIPHER_CTX* context, const uint8_t* iv, ByteView plaintext, uint8_t* out) {
  int updated = 0;
  int finished = 0;
  bool ok = EVP_EncryptInit_ex2(context, nullptr, nullptr, iv, nullptr) == 1 &&
            (plaintext.empty() ||
             EVP_EncryptUpdate(context, out, &updated, plaintext.data(), static_cast<int>(plaintext.size())) == 1) &&
            EVP_EncryptFinal_ex(context, out + updated, &finished) == 1 &&
            static_cast<size_t>(updated + finished) == padded_length(plaintext.size());
  require_openssl(ok, "3DES encryption");
}

long decrypt(EVP_CIPHER_CTX* context, const uint8_t* iv, ByteView ciphertext, uint8_t* out) {
  int updated = 0;
  int finished = 0;
  require_openssl(EVP_DecryptInit_ex2(context, nullptr, nullptr, iv, nullptr) == 1, "starting 3DES decryption");
  forget_memory();
  bool ok = EVP_DecryptUpdate(context, out, &updated, ciphertext.data(), static_cast<int>(ciphertext.size())) == 1 &&
            EVP_DecryptFinal_ex(context, out + updated, &finished) == 1;
  if (ok) return updated + finished;
  take_openssl_errors();
  return -1;
}

}  // namespace callseal::triple_des
