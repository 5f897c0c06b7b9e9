#include <openssl/objects.h>

#include "error.h"
#include "file.h"
#include "key_file.h"
#include "module.h"
#include "pem.h"
#include "quiet_errors.h"
#include "rsa_private_key_der.h"

namespace callseal {
namespace {

using AlgorithmPtr = OpensslPtr<X509_ALGOR, X509_ALGOR_free>;

constexpr int kIterations = 600'000;
constexpr int kSaltBytes = 16;

AlgorithmPtr pbes2_algorithm() {
  const Module& module = Module::get();
  CipherPtr cipher = module.fetch_cipher("AES-256-CBC");
  // Null for salt and IV: random ones from the module.
  AlgorithmPtr algorithm(PKCS5_pbe2_set_iv_ex(cipher.get(), kIterations, nullptr, kSaltBytes, nullptr,
                                              NID_hmacWithSHA256, module.context()));
  require_openssl(algorithm != nullptr, "preparing the encryption of a private key");
  return algorithm;
}

SecretBytes encrypt_pkcs8(const SecretBytes& der, ByteView passphrase) {
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
  SecretBytes out(static_cast<size_t>(i2d_X509_SIG(encrypted.get(), nullptr)));
  uint8_t* end = out.data();
  i2d_X509_SIG(encrypted.get(), &end);
  return out;
}

}  // namespace

void save_private_key(const PrivateKey& key, const std::string& path, const Passphrase* passphrase) {
  QuietErrors quiet;
  ScopedDefaultContext scope(Module::get().context());
  AtomicFile file({path, /*replace=*/false, /*sync=*/true});
  SecretBytes der = encode_rsa_private_key(key.pkey());
  SecretBytes pem = passphrase != nullptr
                        ? write_pem("ENCRYPTED PRIVATE KEY", view(encrypt_pkcs8(der, passphrase->bytes())))
                        : write_pem("PRIVATE KEY", view(der));
  file.write(0, view(pem));
  file.commit();
}

}  // namespace callseal
