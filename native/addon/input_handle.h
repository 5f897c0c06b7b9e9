// An encrypted file, opened once: its header is read here and parsed in TypeScript, its body decrypted from the same
// descriptor, so that both are of one file whatever happens to its name.
#pragma once

#include <memory>

#include "atomic_file.h"
#include "envelope.h"
#include "handle.h"

namespace callseal::addon {

class InputFileHandle : public Handle<InputFileHandle, std::unique_ptr<InputFile>> {
 public:
  static constexpr char kName[] = "InputFile";
  static constexpr napi_type_tag kTag{0x6d3f0c5e8a9b4172, 0xb1c7e2945d60a83f};
  using Handle::Handle;
  static Napi::FunctionReference& constructor(Napi::Env env) { return Environment::of(env).input_file; }
  static Napi::Function define(Napi::Env env);

 private:
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value decrypt(const Napi::CallbackInfo& info);
};

// SealedEnvelope of lib/native/binding.ts.
SealedEnvelope sealed_envelope_argument(const Napi::CallbackInfo& info, size_t index);

}  // namespace callseal::addon
