// Validation at the boundary: behind it, arguments are right.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "bytes.h"
#include "secret_key.h"

namespace callseal::addon {

[[noreturn]] void reject_argument(Napi::Env env, const std::string& message);

// The bytes of a Uint8Array, borrowed for the call. Shared memory is refused: another thread could change it between
// authentication and use.
ByteView bytes_argument(const Napi::CallbackInfo& info, size_t index, const char* name);
ByteView bytes_value(Napi::Value value, const char* name);
// The same, to write to.
struct ByteSpan {
  uint8_t* data;
  size_t size;
};
ByteSpan span_argument(const Napi::CallbackInfo& info, size_t index, const char* name);
std::string string_value(Napi::Value value, const char* name);
std::string string_argument(const Napi::CallbackInfo& info, size_t index, const char* name);
// Without NUL bytes, so that what the operating system sees is what the caller meant.
std::string path_argument(const Napi::CallbackInfo& info, size_t index, const char* name);
std::string path_value(Napi::Value value, const char* name);
bool boolean_argument(const Napi::CallbackInfo& info, size_t index, const char* name);
// A whole number within [minimum, maximum].
int64_t integer_argument(const Napi::CallbackInfo& info, size_t index, const char* name, int64_t minimum,
                         int64_t maximum);
int64_t integer_value(Napi::Value value, const char* name, int64_t minimum, int64_t maximum);
Napi::Object object_argument(const Napi::CallbackInfo& info, size_t index, const char* name);
KeyUse key_use_argument(const Napi::CallbackInfo& info, size_t index);

// A Uint8Array holding a copy.
Napi::Uint8Array to_uint8_array(Napi::Env env, ByteView bytes);

}  // namespace callseal::addon
