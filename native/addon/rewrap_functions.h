// Changes of recipients and of content keys, on files that are open.
#pragma once

#include <napi.h>

namespace callseal::addon {

// `changeRecipients` and `rekeyFile` of lib/native/rewrap-binding.ts.
void define_rewrap_functions(Napi::Env env, Napi::Object exports);

}  // namespace callseal::addon
