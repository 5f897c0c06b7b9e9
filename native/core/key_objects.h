// What a file that may hold keys and certificates consists of, before any of it is decoded.
#pragma once

#include <string>
#include <vector>

#include "bytes.h"
#include "der_shape.h"

namespace callseal {

// One PEM block or DER object.
struct KeyObject {
  std::string label;  // PEM label; empty for DER
  size_t line = 0;    // of the PEM BEGIN line; 0 for DER
  DerShape shape = DerShape::kUnknown;
  std::string dek_info;  // of a traditional encrypted PEM key, whose `der` is ciphertext
  SecretBytes der;
  std::string damage;  // what is wrong with a PEM block; empty when it is sound

  // A private key in a form this package knows, going by the PEM label, or by the shape of DER.
  bool is_private_key() const;
  // A certificate or public key, likewise.
  bool is_public() const;
  // Such as "PKCS#8, PBES2 PBKDF2-HMAC-SHA256 AES-256-CBC", "PKCS#1", "traditional PEM AES-256-CBC", "PKCS#12".
  std::string form() const;
  bool is_encrypted() const;
  // Such as "RSA PRIVATE KEY at line 7", for messages.
  std::string where() const;
};

// The objects of PEM text, or of one DER object after the other. Empty when the bytes are neither.
std::vector<KeyObject> read_key_objects(ByteView bytes);

// What the file is instead of what was looked for: "it holds CERTIFICATE (2)", "it is a PuTTY key; …".
std::string describe_objects(ByteView bytes, const std::vector<KeyObject>& objects);

}  // namespace callseal
