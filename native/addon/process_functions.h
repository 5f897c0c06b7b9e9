// What the addon does about the process that it is in.
#pragma once

#include <napi.h>

namespace callseal::addon {

// refuseCoreDumps
void define_process_functions(Napi::Env env, Napi::Object exports);

}  // namespace callseal::addon
