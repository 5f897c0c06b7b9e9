#include "key_wrap.h"

#include "error.h"
#include "module.h"
#include "openssl_ptr.h"

namespace callseal {
namespace {

CipherCtxPtr wrapping_context() {
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  require_openssl(context != nullptr, "allocating a cipher context");
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  return context;
}

}  // namespace

Bytes wrap_kwp(ByteView wrapping_key, ByteView key) {
  CipherCtxPtr cipher = wrapping_context();
  Bytes wrapped(kwp_length(key.size()));
  int length = 0;
  bool ok =
      EVP_EncryptInit_ex2(cipher.get(), Module::get().aes256_wrap_pad(), wrapping_key.data(), nullptr, nullptr) == 1 &&
      EVP_EncryptUpdate(cipher.get(), wrapped.data(), &length, key.data(), static_cast<int>(key.size())) == 1 &&
      static_cast<size_t>(length) == wrapped.size();
  require_openssl(ok, "wrapping a key with AES-256-KWP");
  return wrapped;
}

std::optional<SecretBytes> unwrap_kwp(ByteView wrapping_key, ByteView wrapped, size_t length) {
  if (wrapped.size() != kwp_length(length)) return std::nullopt;
  CipherCtxPtr cipher = wrapping_context();
  SecretBytes key(wrapped.size());
  int written = 0;
  require_openssl(
      EVP_DecryptInit_ex2(cipher.get(), Module::get().aes256_wrap_pad(), wrapping_key.data(), nullptr, nullptr) == 1,
      "starting AES-256-KWP");
  bool authentic =
      EVP_DecryptUpdate(cipher.get(), key.data(), &written, wrapped.data(), static_cast<int>(wrapped.size())) == 1 &&
      static_cast<size_t>(written) == length;
  take_openssl_errors();
  if (!authentic) return std::nullopt;
  key.resize(length);
  return key;
}

}  // namespace callseal
