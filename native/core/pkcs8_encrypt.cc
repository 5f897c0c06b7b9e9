#include "pkcs8_encrypt.h"

#include <openssl/objects.h>

#include "error.h"
#include "module.h"

namespace callseal {
namespace {

using AlgorithmPtr = OpensslPtr<X509_ALGOR, X509_ALGOR_free>;

AlgorithmPtr pbes2_algorithm() {
  const Module& module = Module::get();
  CipherPtr cipher = module.fetch_cipher("AES-256-CBC");
  // Null for salt and IV: random ones from the module.
  AlgorithmPtr algorithm(PKCS5_pbe2_set_iv_ex(cipher.get(), kPassphraseIterations, nullptr, kPassphraseSaltBytes,
                                              nullptr, NID_hmacWithSHA256, module.context()));
  require_openssl(algorithm != nullptr, "preparing the encryption of a private key");
  return algorithm;
}

}  // namespace

Pkcs8Ptr encrypt_pkcs8(const SecretBytes& der, ByteView passphrase) {
  const Module& module = Module::get();
  const uint8_t* cursor = der.data();
  Pkcs8InfoPtr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(der.size())));
  require_openssl(info != nullptr, "encoding a private key");
  AlgorithmPtr algorithm = pbes2_algorithm();
  Pkcs8Ptr encrypted(PKCS8_set0_pbe_ex(reinterpret_cast<const char*>(passphrase.data()),
                                       static_cast<int>(passphrase.size()), info.get(), algorithm.get(),
                                       module.context(), module.properties()));
  require_openssl(encrypted != nullptr, "encrypting a private key");
  algorithm.release();  // now a part of `encrypted`
  return encrypted;
}

}  // namespace callseal
