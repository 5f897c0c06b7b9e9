// The low-level function is deprecated in favour of EVP, which does not take the result of somebody else's plain RSA.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "oaep_unpad.h"

#include <openssl/rsa.h>

#include "error.h"
#include "module.h"

namespace callseal {

SecretBytes unpad_oaep(ByteView encoded, size_t modulus_bytes) {
  const EVP_MD* hash = Module::get().sha256();
  SecretBytes message(modulus_bytes);
  int length = encoded.size() > modulus_bytes
                   ? -1
                   : RSA_padding_check_PKCS1_OAEP_mgf1(message.data(), static_cast<int>(message.size()), encoded.data(),
                                                       static_cast<int>(encoded.size()),
                                                       static_cast<int>(modulus_bytes), nullptr, 0, hash, hash);
  take_openssl_errors();
  if (length < 0) {
    throw Error(Code::kTampered, "the wrapped key does not open with the private key it was made for");
  }
  message.resize(static_cast<size_t>(length));
  return message;
}

}  // namespace callseal
