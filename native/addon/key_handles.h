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
  using Handle::Handle;
  static Napi::FunctionReference& constructor(Napi::Env env) { return Environment::of(env).passphrase; }
  static Napi::Function define(Napi::Env env);

 private:
  Napi::Value length(const Napi::CallbackInfo& info);
};

class SecretKeyHandle : public Handle<SecretKeyHandle, SecretKey> {
 public:
  static constexpr char kName[] = "SecretKey";
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
  using Handle::Handle;
  static Napi::FunctionReference& constructor(Napi::Env env) { return Environment::of(env).public_key; }
  static Napi::Function define(Napi::Env env);

 private:
  Napi::Value algorithm(const Napi::CallbackInfo& info);
  Napi::Value bits(const Napi::CallbackInfo& info);
  Napi::Value spki_sha256(const Napi::CallbackInfo& info);
  Napi::Value to_pem(const Napi::CallbackInfo& info);
  Napi::Value wrap_content_key(const Napi::CallbackInfo& info);
  Napi::Value verify(const Napi::CallbackInfo& info);
};

class PrivateKeyHandle : public Handle<PrivateKeyHandle, PrivateKey> {
 public:
  static constexpr char kName[] = "PrivateKey";
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
  Napi::Value sign(const Napi::CallbackInfo& info);
  Napi::Value save(const Napi::CallbackInfo& info);
};

SignatureScheme scheme_argument(const Napi::CallbackInfo& info, size_t index);

}  // namespace callseal::addon
