// Passphrase, SecretKey, PublicKey and PrivateKey as JavaScript sees them.
#pragma once

#include "handle.h"
#include "passphrase.h"
#include "rsa_key.h"
#include "secret_key.h"

namespace callseal::addon {

class PassphraseHandle : public Handle<PassphraseHandle, Passphrase> {
 public:
  static constexpr char kName[] = "Passphrase";
  static constexpr napi_type_tag kTag{0xf109a07715722565, 0x3f0b58567b2d508a};
  using Handle::Handle;
  static Napi::FunctionReference& constructor(Napi::Env env) { return Environment::of(env).passphrase; }
  static Napi::Function define(Napi::Env env);

 private:
  Napi::Value length(const Napi::CallbackInfo& info);
};

class SecretKeyHandle : public Handle<SecretKeyHandle, SecretKey> {
 public:
  static constexpr char kName[] = "SecretKey";
  static constexpr napi_type_tag kTag{0xf4f01abe5d950d11, 0x29823700bf3de53c};
  using Handle::Handle;
  static Napi::FunctionReference& constructor(Napi::Env env) { return Environment::of(env).secret_key; }
  static Napi::Function define(Napi::Env env);

 private:
  Napi::Value use(const Napi::CallbackInfo& info);
  Napi::Value derive(const Napi::CallbackInfo& info);
  Napi::Value mac(const Napi::CallbackInfo& info);
  Napi::Value verify_mac(const Napi::CallbackInfo& info);
  Napi::Value encrypt_gcm(const Napi::CallbackInfo& info);
  Napi::Value decrypt_gcm(const Napi::CallbackInfo& info);
  Napi::Value wrap_key(const Napi::CallbackInfo& info);
  Napi::Value unwrap_key(const Napi::CallbackInfo& info);
};

class PublicKeyHandle : public Handle<PublicKeyHandle, PublicKey> {
 public:
  static constexpr char kName[] = "PublicKey";
  static constexpr napi_type_tag kTag{0x98e4daa512e8f0e5, 0x26834ab05412f420};
  using Handle::Handle;
  static Napi::FunctionReference& constructor(Napi::Env env) { return Environment::of(env).public_key; }
  static Napi::Function define(Napi::Env env);

 private:
  Napi::Value algorithm(const Napi::CallbackInfo& info);
  Napi::Value bits(const Napi::CallbackInfo& info);
  Napi::Value has_approved_exponent(const Napi::CallbackInfo& info);
  Napi::Value spki_sha256(const Napi::CallbackInfo& info);
  Napi::Value to_pem(const Napi::CallbackInfo& info);
  Napi::Value wrap_content_key(const Napi::CallbackInfo& info);
  Napi::Value wrap_master(const Napi::CallbackInfo& info);
  Napi::Value writer_scheme(const Napi::CallbackInfo& info);
  Napi::Value verify(const Napi::CallbackInfo& info);
};

class PrivateKeyHandle : public Handle<PrivateKeyHandle, PrivateKey> {
 public:
  static constexpr char kName[] = "PrivateKey";
  static constexpr napi_type_tag kTag{0x76041b9756a14042, 0xbe0c1f3ac8ead3ea};
  using Handle::Handle;
  static Napi::FunctionReference& constructor(Napi::Env env) { return Environment::of(env).private_key; }
  static Napi::Function define(Napi::Env env);

 private:
  Napi::Value algorithm(const Napi::CallbackInfo& info);
  Napi::Value bits(const Napi::CallbackInfo& info);
  Napi::Value spki_sha256(const Napi::CallbackInfo& info);
  Napi::Value public_key(const Napi::CallbackInfo& info);
  Napi::Value unwrapped_outside(const Napi::CallbackInfo& info);
  Napi::Value unwrap(const Napi::CallbackInfo& info);
  Napi::Value unwrap_master(const Napi::CallbackInfo& info);
  Napi::Value sign(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
  Napi::Value save_pkcs12(const Napi::CallbackInfo& info);
};

SignatureScheme scheme_argument(const Napi::CallbackInfo& info, size_t index);

}  // namespace callseal::addon
