// Opaque JavaScript handles on core objects.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "arguments.h"
#include "environment.h"
#include "error.h"
#include "errors.h"

namespace callseal::addon {

// A class whose instances hold a shared core object. Jobs take their own share, so `destroy()` (or collection) during a
// job is safe: the object, and the key in it, is cleared when the last share goes.
template <typename Derived, typename Core>
class Handle : public Napi::ObjectWrap<Derived> {
 public:
  using Shared = std::shared_ptr<const Core>;

  explicit Handle(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Derived>(info) {
    if (info.Length() == 1 && info[0].IsExternal()) {
      core_ = *info[0].As<Napi::External<Shared>>().Data();
    } else {
      reject_argument(info.Env(), std::string(Derived::kName) + " is not made with new; use its static methods");
    }
  }

  static Napi::Object wrap(Napi::Env env, Shared core) {
    Napi::External<Shared> external = Napi::External<Shared>::New(env, &core);
    Napi::Object object = Derived::constructor(env).New({external});
    return object;
  }

  // The core object behind a JavaScript value. ERR_INVALID_ARGUMENT for other values, ERR_KEY_USE after destroy().
  static Shared from(Napi::Value value, const char* name) {
    Napi::Env env = value.Env();
    if (!value.IsObject() || !value.As<Napi::Object>().InstanceOf(Derived::constructor(env).Value())) {
      reject_argument(env, std::string(name) + " must be a " + Derived::kName);
    }
    return Derived::Unwrap(value.As<Napi::Object>())->core();
  }

  Shared core() {
    if (core_ == nullptr) {
      guarded(this->Env(), []() { throw Error(Code::kKeyUse, std::string(Derived::kName) + " was destroyed"); });
    }
    return core_;
  }

  void destroy(const Napi::CallbackInfo&) { core_.reset(); }

 private:
  Shared core_;
};

}  // namespace callseal::addon
