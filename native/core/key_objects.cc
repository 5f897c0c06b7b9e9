#include "key_objects.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "key_encryption.h"
#include "pem.h"

namespace callseal {
namespace {

template <size_t N>
bool is_one_of(const std::string& label, const char* const (&labels)[N]) {
  return std::any_of(std::begin(labels), std::end(labels), [&](const char* known) { return label == known; });
}

std::string describe_encrypted_pkcs8(ByteView der) {
  const uint8_t* cursor = der.data();
  Pkcs8Ptr encrypted(d2i_X509_SIG(nullptr, &cursor, static_cast<long>(der.size())));
  if (encrypted == nullptr) return "damaged";
  const X509_ALGOR* algorithm = nullptr;
  X509_SIG_get0(encrypted.get(), &algorithm, nullptr);
  return describe_encryption(algorithm);
}

std::vector<KeyObject> read_der_objects(ByteView bytes) {
  std::vector<KeyObject> objects;
  while (der_shape(bytes) != DerShape::kUnknown) {
    KeyObject object;
    object.shape = der_shape(bytes);
    size_t length = der_object_length(bytes);
    if (length == 0) length = bytes.size();  // BER of indefinite length: its end is found by decoding it
    object.der.assign(bytes.begin(), bytes.begin() + length);
    objects.push_back(std::move(object));
    bytes = bytes.subview(length, bytes.size() - length);
  }
  bool only_space = std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == '\n' || byte == '\r'; });
  // Something other than a known object follows.
  if (!objects.empty() && !only_space) objects.emplace_back().der.assign(bytes.begin(), bytes.end());
  return objects;
}

std::vector<KeyObject> read_pem_objects(ByteView text) {
  std::vector<KeyObject> objects;
  for (PemBlock& block : read_pem(text)) {
    KeyObject object;
    if (block.dek_info.empty()) object.shape = der_shape(view(block.der));
    object.label = std::move(block.label);
    object.line = block.line;
    object.dek_info = std::move(block.dek_info);
    object.der = std::move(block.der);
    object.damage = std::move(block.damage);
    objects.push_back(std::move(object));
  }
  return objects;
}

bool begins_with(ByteView bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::equal(text.begin(), text.end(), bytes.begin(),
                                                   [](char a, uint8_t b) { return static_cast<uint8_t>(a) == b; });
}

// Each label once, with its number of blocks.
std::string list_labels(const std::vector<KeyObject>& objects) {
  std::vector<std::pair<std::string, int>> counts;
  for (const KeyObject& object : objects) {
    std::string name = object.label.empty() ? der_shape_name(object.shape) : object.label;
    auto known = std::find_if(counts.begin(), counts.end(), [&](const auto& count) { return count.first == name; });
    if (known != counts.end()) {
      known->second++;
    } else if (counts.size() < 8) {
      counts.emplace_back(std::move(name), 1);
    }
  }
  std::string list;
  for (const auto& [name, count] : counts) {
    list += (list.empty() ? "" : ", ") + name;
    if (count > 1) list += " (" + std::to_string(count) + ")";
  }
  return list;
}

}  // namespace

bool KeyObject::is_private_key() const {
  static constexpr const char* kLabels[] = {"PRIVATE KEY",    "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY",
                                            "EC PRIVATE KEY", "DSA PRIVATE KEY",       "PKCS12"};
  return label.empty() ? callseal::is_private_key(shape) : is_one_of(label, kLabels);
}

bool KeyObject::is_public() const {
  static constexpr const char* kLabels[] = {"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "PUBLIC KEY",
                                            "RSA PUBLIC KEY"};
  if (!label.empty()) return is_one_of(label, kLabels);
  return shape == DerShape::kCertificate || shape == DerShape::kPublicKey || shape == DerShape::kPkcs1PublicKey;
}

std::string KeyObject::form() const {
  if (!dek_info.empty()) return "traditional PEM " + traditional_cipher_name(dek_info);
  std::string form = der_shape_name(shape);
  if (shape == DerShape::kEncryptedPkcs8) form += ", " + describe_encrypted_pkcs8(view(der));
  return form;
}

bool KeyObject::is_encrypted() const {
  return !dek_info.empty() || shape == DerShape::kEncryptedPkcs8 || shape == DerShape::kPkcs12;
}

std::string KeyObject::where() const {
  return label.empty() ? "the DER object" : label + " at line " + std::to_string(line);
}

std::vector<KeyObject> read_key_objects(ByteView bytes) {
  return der_shape(bytes) != DerShape::kUnknown ? read_der_objects(bytes) : read_pem_objects(bytes);
}

std::string describe_objects(ByteView bytes, const std::vector<KeyObject>& objects) {
  if (bytes.empty()) return "it is empty";
  if (begins_with(bytes, "PuTTY-User-Key-File")) {
    return "it is a PuTTY key; convert it with `puttygen FILE -O private-openssh -o OUT`";
  }
  if (begins_with(bytes, "\xFF\xFE") || begins_with(bytes, "\xFE\xFF")) {
    return "it is UTF-16 text; save it as ASCII or UTF-8";
  }
  if (objects.empty()) return "it is neither PEM nor DER of a known kind";
  std::string text = "it holds " + list_labels(objects);
  bool openssh = std::any_of(objects.begin(), objects.end(),
                             [](const KeyObject& object) { return object.label == "OPENSSH PRIVATE KEY"; });
  if (openssh) text += "; convert a copy of the OpenSSH key with `ssh-keygen -p -m PKCS8 -f FILE`";
  return text;
}

}  // namespace callseal
