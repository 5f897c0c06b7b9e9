#include "arguments.h"

#include <cmath>
#include <cstdlib>
#include <cstring>

#include "error.h"
#include "errors.h"

namespace callseal::addon {

void reject_argument(Napi::Env env, const std::string& message) {
  guarded(env, [&]() { throw Error(Code::kInvalidArgument, message); });
  std::abort();  // not reached: guarded() throws
}

namespace {

// In as few calls into Node as there can be: streams come here for every chunk.
ByteSpan span_value(Napi::Value value, const char* name) {
  Napi::Env env = value.Env();
  bool is = false;
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void* data = nullptr;
  napi_value buffer = nullptr;
  if (napi_is_typedarray(env, value, &is) != napi_ok || !is ||
      napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, nullptr) != napi_ok ||
      type != napi_uint8_array) {
    reject_argument(env, std::string(name) + " must be a Uint8Array");
  }
  if (napi_is_arraybuffer(env, buffer, &is) != napi_ok || !is) {
    reject_argument(env, std::string(name) + " must not be shared memory");
  }
  return {static_cast<uint8_t*>(data), length};
}

}  // namespace

ByteView bytes_value(Napi::Value value, const char* name) {
  ByteSpan span = span_value(value, name);
  return ByteView(span.data, span.size);
}

ByteSpan span_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  return span_value(info[index], name);
}

ByteView bytes_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  return bytes_value(info[index], name);
}

std::string string_value(Napi::Value value, const char* name) {
  if (!value.IsString()) reject_argument(value.Env(), std::string(name) + " must be a string");
  return value.As<Napi::String>().Utf8Value();
}

std::string string_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  return string_value(info[index], name);
}

std::string path_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  return path_value(info[index], name);
}

std::string path_value(Napi::Value value, const char* name) {
  std::string path = string_value(value, name);
  if (path.empty() || path.find('\0') != std::string::npos) {
    reject_argument(value.Env(), std::string(name) + " must be a file name without NUL bytes");
  }
  return path;
}

bool boolean_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsBoolean()) reject_argument(info.Env(), std::string(name) + " must be true or false");
  return info[index].As<Napi::Boolean>().Value();
}

int64_t integer_value(Napi::Value value, const char* name, int64_t minimum, int64_t maximum) {
  double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(number >= static_cast<double>(minimum) && number <= static_cast<double>(maximum)) ||
      std::floor(number) != number) {
    reject_argument(value.Env(), std::string(name) + " must be a whole number from " + std::to_string(minimum) +
                                     " to " + std::to_string(maximum));
  }
  return static_cast<int64_t>(number);
}

int64_t integer_argument(const Napi::CallbackInfo& info, size_t index, const char* name, int64_t minimum,
                         int64_t maximum) {
  return integer_value(info[index], name, minimum, maximum);
}

Napi::Object object_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  if (!info[index].IsObject()) reject_argument(info.Env(), std::string(name) + " must be an object");
  return info[index].As<Napi::Object>();
}

KeyUse key_use_argument(const Napi::CallbackInfo& info, size_t index) {
  std::string name = string_argument(info, index, "use");
  for (KeyUse use : {KeyUse::kContent, KeyUse::kMac, KeyUse::kFloe, KeyUse::kGcm, KeyUse::kWrap}) {
    if (name == key_use_name(use)) return use;
  }
  reject_argument(info.Env(), "use must be content, mac, floe, gcm or wrap");
}

Napi::Uint8Array to_uint8_array(Napi::Env env, ByteView bytes) {
  Napi::Uint8Array array = Napi::Uint8Array::New(env, bytes.size());
  if (!bytes.empty()) std::memcpy(array.Data(), bytes.data(), bytes.size());
  return array;
}

}  // namespace callseal::addon
