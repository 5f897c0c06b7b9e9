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

// Others in the file may be of kinds that nobody here can read, and are of no concern.
bool belongs_to(const PrivateKey& key, const KeyObject& object) {
  try {
    return object.shape == DerShape::kCertificate &&
           decode_recipient(object).public_key->spki_sha256() == key.public_key()->spki_sha256();
  } catch (const Error&) {
    return false;
  }
}

// PEM of the one of the certificates that is the key's; empty when none is.
std::string certificate_of(const PrivateKey& key, const std::vector<Bytes>& certificates) {
  for (const Bytes& der : certificates) {
    for (const KeyObject& object : read_key_objects(der)) {
      if (!belongs_to(key, object)) continue;
      SecretBytes pem = write_pem("CERTIFICATE", der);
      return std::string(pem.begin(), pem.end());
    }
  }
  return "";
}

}  // namespace

LoadedPkcs12 load_pkcs12(const std::string& path, const Passphrase* passphrase) {
  return decode_pkcs12(view(read_secret_file(path, kMaxKeyFileBytes, "the PKCS#12 file")), passphrase, path);
}

LoadedPkcs12 decode_pkcs12(ByteView bytes, const Passphrase* passphrase, const std::string& path_for_messages,
                           const KdfLimits& limits) {
  QuietErrors quiet;
  std::vector<KeyObject> objects = read_key_objects(bytes);
  const KeyObject* file = find_pkcs12(objects);
  if (file == nullptr) {
    throw Error(Code::kKeyUnreadable,
                path_for_messages + " is not a PKCS#12 file: " + describe_objects(bytes, objects));
  }
  PrivateKey key = decode_private_key(view(file->der), passphrase, path_for_messages, limits);
  KeyDecryptor decryptor(path_for_messages, limits);
  ByteView given = passphrase != nullptr ? passphrase->bytes() : ByteView();
  std::vector<Bytes> certificates =
      read_pkcs12_certificates(view(file->der), passphrase != nullptr ? &given : nullptr, path_for_messages, decryptor);
  std::string certificate = certificate_of(key, certificates);
  return {std::move(key), std::move(certificate)};
}

}  // namespace callseal
