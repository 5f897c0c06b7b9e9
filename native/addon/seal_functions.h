// What the agent does beside encrypting: lib/native/seal-binding.ts.
#pragma once

#include <napi.h>

namespace callseal::addon {

void add_seal_functions(Napi::Env env, Napi::Object exports);

}  // namespace callseal::addon
