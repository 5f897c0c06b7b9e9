#include "atomic_file.h"
#include "ec_private_key_der.h"
#include "error.h"
#include "key_file.h"
#include "module.h"
#include "pem.h"
#include "pkcs8_encrypt.h"
#include "quiet_errors.h"
#include "rsa_private_key_der.h"

namespace callseal {
namespace {

SecretBytes to_der(const X509_SIG* encrypted) {
  SecretBytes out(static_cast<size_t>(i2d_X509_SIG(encrypted, nullptr)));
  uint8_t* end = out.data();
  i2d_X509_SIG(encrypted, &end);
  return out;
}

}  // namespace

void save_private_key(const PrivateKey& key, const std::string& path, const Passphrase* passphrase) {
  QuietErrors quiet;
  ScopedDefaultContext scope(Module::get().context());
  AtomicFile file({path, /*replace=*/false, /*sync=*/true});
  const bool is_ec = key.public_key()->algorithm() == "EC";
  SecretBytes der = is_ec ? encode_ec_private_key(key.pkey()) : encode_rsa_private_key(key.pkey());
  SecretBytes pem = passphrase != nullptr ? write_pem("ENCRYPTED PRIVATE KEY",
                                                      view(to_der(encrypt_pkcs8(der, passphrase->bytes()).get())))
                                          : write_pem("PRIVATE KEY", view(der));
  file.write(0, view(pem));
  file.commit();
}

}  // namespace callseal
