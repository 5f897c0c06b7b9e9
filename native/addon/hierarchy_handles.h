// MasterKey and WorkingKey as JavaScript sees them (lib/native/keys-binding.ts).
#pragma once

#include "handle.h"
#include "master_key.h"
#include "record.h"

namespace callseal::addon {

class MasterKeyHandle : public Handle<MasterKeyHandle, MasterKey> {
 public:
  static constexpr char kName[] = "MasterKey";
  static constexpr napi_type_tag kTag{0x5c1f6a0e93d84b27, 0xa97e30d24f6b1c85};
  using Handle::Handle;
  static Napi::FunctionReference& constructor(Napi::Env env) { return Environment::of(env).master_key; }
  static Napi::Function define(Napi::Env env);

 private:
  Napi::Value cipher(const Napi::CallbackInfo& info);
  Napi::Value mac_row(const Napi::CallbackInfo& info);
  Napi::Value verify_row(const Napi::CallbackInfo& info);
  Napi::Value create_working_key(const Napi::CallbackInfo& info);
  Napi::Value open_working_key(const Napi::CallbackInfo& info);
};

class WorkingKeyHandle : public Handle<WorkingKeyHandle, WorkingKey> {
 public:
  static constexpr char kName[] = "WorkingKey";
  static constexpr napi_type_tag kTag{0xe2b40795c86d1f3a, 0x1d5389fe720ca64b};
  using Handle::Handle;
  static Napi::FunctionReference& constructor(Napi::Env env) { return Environment::of(env).working_key; }
  static Napi::Function define(Napi::Env env);

 private:
  Napi::Value cipher(const Napi::CallbackInfo& info);
  Napi::Value hash(const Napi::CallbackInfo& info);
  Napi::Value overhead(const Napi::CallbackInfo& info);
  Napi::Value protect(const Napi::CallbackInfo& info);
  Napi::Value unprotect(const Napi::CallbackInfo& info);
  Napi::Value protect_many(const Napi::CallbackInfo& info);
  Napi::Value unprotect_many(const Napi::CallbackInfo& info);
  Napi::Value rebind(const Napi::CallbackInfo& info);
  Napi::Value reencrypt(const Napi::CallbackInfo& info);
};

CipherKind cipher_argument(const Napi::CallbackInfo& info, size_t index);
HashKind hash_argument(const Napi::CallbackInfo& info, size_t index);

}  // namespace callseal::addon
