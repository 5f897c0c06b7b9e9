#include "file_arguments.h"

#include "arguments.h"

namespace callseal::addon {
namespace {

bool boolean_member(Napi::Object object, const char* name) {
  Napi::Value value = object.Get(name);
  if (!value.IsBoolean()) reject_argument(object.Env(), std::string(name) + " must be true or false");
  return value.As<Napi::Boolean>().Value();
}

}  // namespace

OutputOptions output_argument(const Napi::CallbackInfo& info, size_t index) {
  Napi::Object object = object_argument(info, index, "output");
  Napi::Value path = object.Get("path");
  if (!path.IsString()) reject_argument(info.Env(), "output.path must be a string");
  OutputOptions output;
  output.path = path.As<Napi::String>().Utf8Value();
  if (output.path.empty() || output.path.find('\0') != std::string::npos) {
    reject_argument(info.Env(), "output.path must be a file name without NUL bytes");
  }
  output.replace = boolean_member(object, "replace");
  output.sync = boolean_member(object, "sync");
  return output;
}

std::optional<OutputOptions> optional_output_argument(const Napi::CallbackInfo& info, size_t index) {
  if (info[index].IsNull()) return std::nullopt;
  return output_argument(info, index);
}

uint32_t segment_length_argument(const Napi::CallbackInfo& info, size_t index) {
  return static_cast<uint32_t>(integer_argument(info, index, "segmentLength", 1024, 16777216));
}

Napi::Value file_job_result(Napi::Env env, FileJobResult& result) {
  Napi::Object object = Napi::Object::New(env);
  object["inputBytes"] = Napi::Number::New(env, static_cast<double>(result.input_bytes));
  object["outputBytes"] = Napi::Number::New(env, static_cast<double>(result.output_bytes));
  return object;
}

}  // namespace callseal::addon
