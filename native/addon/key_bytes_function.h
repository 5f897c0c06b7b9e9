// Private keys that come as bytes, not as files.
#pragma once

#include <napi.h>

namespace callseal::addon {

// `decodePrivateKey` of lib/native/key-bytes-binding.ts.
void define_key_bytes_function(Napi::Env env, Napi::Object exports);

}  // namespace callseal::addon
