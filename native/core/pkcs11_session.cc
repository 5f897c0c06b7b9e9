#include "pkcs11_session.h"

#include <string.h>

#include "pkcs11_error.h"

namespace callseal {
namespace {

using namespace pkcs11;

unsigned char* mutable_bytes(ByteView view) {
  return const_cast<unsigned char*>(view.data());  // Cryptoki's inputs are not const, and not written to
}

}  // namespace

Pkcs11Template& Pkcs11Template::bytes(AttributeType type, ByteView value) {
  Bytes& kept = values_.emplace_back(value.begin(), value.end());
  attributes_.push_back({type, kept.data(), kept.size()});
  return *this;
}

Pkcs11Template& Pkcs11Template::flag(AttributeType type, bool value) {
  const uint8_t byte[] = {value ? kTrue : kFalse};
  return bytes(type, byte);
}

Pkcs11Template& Pkcs11Template::number(AttributeType type, Ulong value) {
  return bytes(type, ByteView(reinterpret_cast<const uint8_t*>(&value), sizeof value));
}

Pkcs11Session::Pkcs11Session(const Pkcs11Module& module, Token token, bool writable)
    : module_(module), token_(std::move(token)) {
  Ulong flags = kSerialSession | (writable ? kRwSession : 0);
  require(module_.call(&FunctionList::C_OpenSession, token_.slot, flags, nullptr, nullptr, &handle_),
          "opening a session");
}

Pkcs11Session::~Pkcs11Session() {
  module_.call(&FunctionList::C_CloseSession, handle_);
}

void Pkcs11Session::require(Rv rv, const char* what) const {
  if (rv != kOk) require_pkcs11(rv, what, token_.describe());
}

bool Pkcs11Session::login(ByteView pin) {
  Rv rv = module_.call(&FunctionList::C_Login, handle_, kUser, mutable_bytes(pin), pin.size());
  if (rv != kUserAlreadyLoggedIn) require(rv, "logging in");
  return rv == kOk;
}

std::vector<ObjectHandle> Pkcs11Session::find(Pkcs11Template& wanted, size_t limit) {
  require(module_.call(&FunctionList::C_FindObjectsInit, handle_, wanted.data(), wanted.size()), "looking for a key");
  std::vector<ObjectHandle> found(limit);
  Ulong count = 0;
  Rv rv = module_.call(&FunctionList::C_FindObjects, handle_, found.data(), limit, &count);
  module_.call(&FunctionList::C_FindObjectsFinal, handle_);
  require(rv, "looking for a key");
  found.resize(count);
  return found;
}

std::optional<Bytes> Pkcs11Session::attribute(ObjectHandle object, AttributeType type) {
  Attribute wanted{type, nullptr, 0};
  Rv rv = module_.call(&FunctionList::C_GetAttributeValue, handle_, object, &wanted, 1);
  if (rv == kAttributeTypeInvalid || rv == kAttributeSensitive) return std::nullopt;
  require(rv, "reading an attribute of the key");
  if (wanted.length == kUnavailableInformation) return std::nullopt;
  Bytes value(wanted.length);
  wanted.value = value.data();
  require(module_.call(&FunctionList::C_GetAttributeValue, handle_, object, &wanted, 1),
          "reading an attribute of the key");
  value.resize(wanted.length);
  return value;
}

std::optional<bool> Pkcs11Session::flag(ObjectHandle object, AttributeType type) {
  std::optional<Bytes> value = attribute(object, type);
  if (!value || value->size() != 1) return std::nullopt;
  return (*value)[0] != kFalse;
}

Bytes Pkcs11Session::sign(ObjectHandle key, Mechanism mechanism, ByteView data, size_t max_length) {
  require(module_.call(&FunctionList::C_SignInit, handle_, &mechanism, key), "signing");
  Bytes signature(max_length);
  Ulong length = signature.size();
  require(module_.call(&FunctionList::C_Sign, handle_, mutable_bytes(data), data.size(), signature.data(), &length),
          "signing");
  signature.resize(length);
  return signature;
}

SecretBytes Pkcs11Session::decrypt(ObjectHandle key, Mechanism mechanism, ByteView ciphertext, size_t max_length) {
  require(module_.call(&FunctionList::C_DecryptInit, handle_, &mechanism, key), "decrypting");
  SecretBytes plaintext(max_length);
  Ulong length = plaintext.size();
  require(module_.call(&FunctionList::C_Decrypt, handle_, mutable_bytes(ciphertext), ciphertext.size(),
                       plaintext.data(), &length),
          "decrypting");
  plaintext.resize(length);
  return plaintext;
}

Pkcs11KeyPair Pkcs11Session::generate(Mechanism mechanism, Pkcs11Template& public_key, Pkcs11Template& private_key) {
  Pkcs11KeyPair pair{};
  require(module_.call(&FunctionList::C_GenerateKeyPair, handle_, &mechanism, public_key.data(), public_key.size(),
                       private_key.data(), private_key.size(), &pair.public_key, &pair.private_key),
          "generating a key");
  return pair;
}

void Pkcs11Session::destroy(ObjectHandle object) {
  require(module_.call(&FunctionList::C_DestroyObject, handle_, object), "removing a key");
}

}  // namespace callseal
