#include "token_handles.h"

#include "async.h"
#include "key_handles.h"
#include "pkcs11_key.h"

namespace callseal::addon {
namespace {

std::optional<std::string> optional_text(Napi::Value value, const char* name) {
  if (value.IsNull()) return std::nullopt;
  std::string text = string_value(value, name);
  if (text.empty()) reject_argument(value.Env(), std::string(name) + " must be null or a text that is not empty");
  return text;
}

std::string path_value(Napi::Value value, const char* name) {
  std::string path = string_value(value, name);
  if (path.empty() || path.find('\0') != std::string::npos) {
    reject_argument(value.Env(), std::string(name) + " must be a file name without NUL bytes");
  }
  return path;
}

TokenAddress address_argument(const Napi::CallbackInfo& info, size_t index) {
  Napi::Object object = object_argument(info, index, "address");
  TokenAddress address;
  address.module_path = path_value(object.Get("modulePath"), "modulePath");
  address.token_label = optional_text(object.Get("tokenLabel"), "tokenLabel");
  address.serial = optional_text(object.Get("serial"), "serial");
  address.object_label = optional_text(object.Get("objectLabel"), "objectLabel");
  Napi::Value id = object.Get("objectId");
  if (!id.IsNull()) address.object_id = bytes_value(id, "objectId").copy();
  return address;
}

Napi::Value in_background(Napi::Env env, std::function<PrivateKey()> work) {
  using Shared = PrivateKeyHandle::Shared;
  return PromiseWork<Shared>::run(
      env, [work]() { return std::make_shared<const PrivateKey>(work()); },
      [](Napi::Env current, Shared& key) { return PrivateKeyHandle::wrap(current, key); });
}

Napi::Value generate(const Napi::CallbackInfo& info) {
  TokenAddress address = address_argument(info, 0);
  int bits = static_cast<int>(integer_argument(info, 1, "bits", 1, 65536));
  auto pin = PassphraseHandle::from(info[2], "pin");
  return in_background(info.Env(), [=]() { return generate_token_key(address, bits, *pin); });
}

Napi::Value open(const Napi::CallbackInfo& info) {
  TokenAddress address = address_argument(info, 0);
  auto pin = PassphraseHandle::from(info[1], "pin");
  return in_background(info.Env(), [=]() { return open_token_key(address, *pin); });
}

}  // namespace

Napi::Object make_token_functions(Napi::Env env) {
  Napi::Object token = Napi::Object::New(env);
  token["generate"] = Napi::Function::New(env, generate);
  token["open"] = Napi::Function::New(env, open);
  return token;
}

}  // namespace callseal::addon
