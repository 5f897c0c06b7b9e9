#include "certificate.h"
#include "error.h"
#include "key_file.h"
#include "key_objects.h"
#include "pem.h"
#include "pkcs12.h"
#include "quiet_errors.h"
#include "secret_file.h"

namespace callseal {
namespace {

const KeyObject* find_pkcs12(const std::vector<KeyObject>& objects) {
  for (const KeyObject& object : objects) {
    if (object.shape == DerShape::kPkcs12 && object.damage.empty()) return &object;
  }
  return nullptr;
}

// PEM of the one of the certificates that is the key's; empty when none is.
std::string certificate_of(const PrivateKey& key, const std::vector<Bytes>& certificates) {
  for (const Bytes& der : certificates) {
    for (const KeyObject& object : read_key_objects(der)) {
      if (object.shape != DerShape::kCertificate) continue;
      if (decode_recipient(object).public_key->spki_sha256() != key.public_key()->spki_sha256()) continue;
      SecretBytes pem = write_pem("CERTIFICATE", der);
      return std::string(pem.begin(), pem.end());
    }
  }
  return "";
}

}  // namespace

LoadedPkcs12 load_pkcs12(const std::string& path, const Passphrase* passphrase) {
  QuietErrors quiet;
  SecretBytes bytes = read_secret_file(path, kMaxKeyFileBytes, "the PKCS#12 file");
  std::vector<KeyObject> objects = read_key_objects(view(bytes));
  const KeyObject* file = find_pkcs12(objects);
  if (file == nullptr) {
    throw Error(Code::kKeyUnreadable, path + " is not a PKCS#12 file: " + describe_objects(view(bytes), objects));
  }
  PrivateKey key = decode_private_key(view(file->der), passphrase, path);
  KeyDecryptor decryptor(path, KdfLimits{});
  ByteView given = passphrase != nullptr ? passphrase->bytes() : ByteView();
  std::vector<Bytes> certificates =
      read_pkcs12_certificates(view(file->der), passphrase != nullptr ? &given : nullptr, path, decryptor);
  std::string certificate = certificate_of(key, certificates);
  return {std::move(key), std::move(certificate)};
}

}  // namespace callseal
