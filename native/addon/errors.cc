#include "errors.h"

#include <new>
#include <string>

#include "environment.h"
#include "error.h"

namespace callseal::addon {
namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += (text.empty() ? "" : "\n") + line;
  return text;
}

Napi::Object details_of(Napi::Env env, const Error& error) {
  Napi::Object details = Napi::Object::New(env);
  if (!error.causes().empty()) details["cause"] = Napi::String::New(env, joined(error.causes()));
  if (!error.errno_name().empty()) details["errno"] = Napi::String::New(env, error.errno_name());
  if (!error.path().empty()) details["path"] = Napi::String::New(env, error.path());
  return details;
}

Napi::Value make(Napi::Env env, const Error& error) {
  Napi::String code = Napi::String::New(env, std::string(code_name(error.code())));
  Environment* environment = env.GetInstanceData<Environment>();
  if (environment != nullptr && !environment->error_class.IsEmpty()) {
    return environment->error_class.New({code, Napi::String::New(env, error.what()), details_of(env, error)});
  }
  Napi::Error plain = Napi::Error::New(env, error.what());
  plain.Value()["code"] = code;
  return plain.Value();
}

}  // namespace

Napi::Value to_javascript(Napi::Env env, std::exception_ptr thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    return make(env, error);
  } catch (const std::bad_alloc&) {
    Napi::Value made = make(env, Error(Code::kIo, "not enough memory (ENOMEM)"));
    made.As<Napi::Object>()["errno"] = Napi::String::New(env, "ENOMEM");
    return made;
  } catch (const std::exception& error) {
    return make(env, Error(Code::kCrypto, error.what()));
  }
}

}  // namespace callseal::addon
