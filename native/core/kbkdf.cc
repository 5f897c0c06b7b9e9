#include "kbkdf.h"

#include "error.h"
#include "module.h"
#include "openssl_ptr.h"

namespace callseal {

SecretBytes derive_kbkdf(ByteView key, ByteView label, ByteView context, size_t length) {
  KdfCtxPtr kdf(EVP_KDF_CTX_new(Module::get().kbkdf()));
  require_openssl(kdf != nullptr, "allocating a KBKDF context");
  int on = 1;
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, const_cast<char*>("counter"), 0),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, const_cast<char*>("HMAC"), 0),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>("SHA2-256"), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<uint8_t*>(key.data()), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<uint8_t*>(label.data()), label.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, const_cast<uint8_t*>(context.data()), context.size()),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_KBKDF_USE_L, &on),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_KBKDF_USE_SEPARATOR, &on),
      OSSL_PARAM_construct_end(),
  };
  SecretBytes derived(length);
  require_openssl(EVP_KDF_derive(kdf.get(), derived.data(), derived.size(), params) == 1, "deriving a key");
  return derived;
}

}  // namespace callseal
