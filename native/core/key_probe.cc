#include <algorithm>

#include "certificate.h"
#include "error.h"
#include "key_file.h"
#include "key_objects.h"
#include "quiet_errors.h"
#include "secret_file.h"

namespace callseal {
namespace {

// The public key of an object that needs no passphrase; null when it does not decode.
std::shared_ptr<const PublicKey> public_key_of(const KeyObject& object) {
  try {
    if (object.is_public()) return decode_recipient(object).public_key;
    if (object.is_encrypted()) return nullptr;
    return decode_private_key(view(object.der), nullptr, "").public_key();
  } catch (const Error&) {
    return nullptr;
  }
}

void add_once(std::vector<Sha256>& hints, const Sha256& hint) {
  if (std::find(hints.begin(), hints.end(), hint) == hints.end()) hints.push_back(hint);
}

}  // namespace

KeyFileContents probe_key_bytes(ByteView bytes) {
  QuietErrors quiet;
  KeyFileContents contents;
  if (bytes.size() > kMaxKeyFileBytes) return contents;
  for (const KeyObject& object : read_key_objects(bytes)) {
    bool is_private = object.is_private_key() && object.form() != der_shape_name(DerShape::kUnknown);
    if (!is_private && !object.is_public()) continue;
    if (is_private) contents.private_keys.push_back({object.is_encrypted(), object.form()});
    if (auto key = public_key_of(object)) add_once(contents.public_key_hints, key->spki_sha256());
  }
  return contents;
}

KeyFileContents probe_key_file(const std::string& path) {
  std::optional<SecretBytes> bytes = read_regular_file(path, kMaxKeyFileBytes, "the key file");
  return bytes ? probe_key_bytes(view(*bytes)) : KeyFileContents{};
}

}  // namespace callseal
