// Raw-key operations for outside test vectors, in the build that is never packaged.
#pragma once

#include <napi.h>

namespace callseal::addon {

// The object `testing` of lib/native/binding.ts.
Napi::Object make_test_hooks(Napi::Env env);

}  // namespace callseal::addon
