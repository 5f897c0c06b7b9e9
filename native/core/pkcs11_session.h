// One session with a token. Not for two threads at once: its operations are begun and ended in two calls.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "pkcs11_module.h"

namespace callseal {

// Attributes of an object to make or to look for, and the memory of their values.
class Pkcs11Template {
 public:
  Pkcs11Template() = default;
  Pkcs11Template(const Pkcs11Template&) = delete;  // attributes point into values
  Pkcs11Template& operator=(const Pkcs11Template&) = delete;
  Pkcs11Template& flag(pkcs11::AttributeType type, bool value);
  Pkcs11Template& number(pkcs11::AttributeType type, pkcs11::Ulong value);
  Pkcs11Template& bytes(pkcs11::AttributeType type, ByteView value);

  pkcs11::Attribute* data() { return attributes_.data(); }
  pkcs11::Ulong size() const { return attributes_.size(); }

 private:
  std::deque<Bytes> values_;
  std::vector<pkcs11::Attribute> attributes_;
};

struct Pkcs11KeyPair {
  pkcs11::ObjectHandle public_key;
  pkcs11::ObjectHandle private_key;
};

// Every failure is a Pkcs11Error.
class Pkcs11Session {
 public:
  Pkcs11Session(const Pkcs11Module& module, Token token, bool writable);
  ~Pkcs11Session();
  Pkcs11Session(const Pkcs11Session&) = delete;
  Pkcs11Session& operator=(const Pkcs11Session&) = delete;

  const Token& token() const { return token_; }
  // False when this process is logged in already; the PIN is then not looked at. TokenLogin does.
  bool login(ByteView pin);
  // Up to `limit` objects.
  std::vector<pkcs11::ObjectHandle> find(Pkcs11Template& wanted, size_t limit);
  // None when the object does not have it or does not show it.
  std::optional<Bytes> attribute(pkcs11::ObjectHandle object, pkcs11::AttributeType type);
  // None as above, or when it is no flag.
  std::optional<bool> flag(pkcs11::ObjectHandle object, pkcs11::AttributeType type);
  Bytes sign(pkcs11::ObjectHandle key, pkcs11::Mechanism mechanism, ByteView data, size_t max_length);
  SecretBytes decrypt(pkcs11::ObjectHandle key, pkcs11::Mechanism mechanism, ByteView ciphertext, size_t max_length);
  Pkcs11KeyPair generate(pkcs11::Mechanism mechanism, Pkcs11Template& public_key, Pkcs11Template& private_key);
  void destroy(pkcs11::ObjectHandle object);

 private:
  void require(pkcs11::Rv rv, const char* what) const;

  const Pkcs11Module& module_;
  Token token_;
  pkcs11::SessionHandle handle_ = 0;
};

}  // namespace callseal
