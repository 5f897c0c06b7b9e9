// Keys in PKCS#11 tokens (NativeTokenClass in lib/native/keys-binding.ts). What is opened is a PrivateKeyHandle.
#pragma once

#include <napi.h>

namespace callseal::addon {

// { generate, open }
Napi::Object make_token_functions(Napi::Env env);

}  // namespace callseal::addon
