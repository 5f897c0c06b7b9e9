// Opaque JavaScript handles on core objects.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "arguments.h"
#include "environment.h"
#include "error.h"
#include "errors.h"
#include "type_tag.h"

namespace callseal::addon {

// A class whose instances carry its own type tag. JavaScript can call any getter on any object and give any object any
// prototype, so neither the receiver nor `instanceof` says which C++ class is behind an object; the tag does.
template <typename Derived>
class TaggedWrap : public Napi::ObjectWrap<Derived> {
 public:
  explicit TaggedWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Derived>(info) {
    const napi_type_tag tag = own_tag(Derived::kTag);
    info.This().As<Napi::Object>().TypeTag(&tag);
  }

  // Hides ObjectWrap::Unwrap, also from node-addon-api's callbacks. ERR_INVALID_ARGUMENT for anything else.
  static Derived* Unwrap(Napi::Object object) { return unwrap_argument(object, "the receiver of this call"); }

  static Derived* unwrap_argument(Napi::Value value, const char* name) {
    const napi_type_tag tag = own_tag(Derived::kTag);
    if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&tag)) {
      reject_argument(value.Env(), std::string(name) + " must be a " + Derived::kName);
    }
    return Napi::ObjectWrap<Derived>::Unwrap(value.As<Napi::Object>());
  }
};

// A class whose instances hold a shared core object. Jobs take their own share, so `destroy()` (or collection) during a
// job is safe: the object, and the key in it, is cleared when the last share goes.
template <typename Derived, typename Core>
class Handle : public TaggedWrap<Derived> {
 public:
  using Shared = std::shared_ptr<const Core>;

  explicit Handle(const Napi::CallbackInfo& info) : TaggedWrap<Derived>(info) {
    // Node hands Externals of its own to JavaScript (socket._handle._externalStream): only ours has the tag.
    const napi_type_tag tag = own_tag(Derived::kTag);
    if (info.Length() != 1 || !info[0].IsExternal() || !info[0].As<Napi::External<Shared>>().CheckTypeTag(&tag)) {
      reject_argument(info.Env(), std::string(Derived::kName) + " is not made with new; use its static methods");
    }
    core_ = *info[0].As<Napi::External<Shared>>().Data();
  }

  static Napi::Object wrap(Napi::Env env, Shared core) {
    Napi::External<Shared> external = Napi::External<Shared>::New(env, &core);
    const napi_type_tag tag = own_tag(Derived::kTag);
    external.TypeTag(&tag);
    Napi::Object object = Derived::constructor(env).New({external});
    return object;
  }

  // The core object behind a JavaScript value. ERR_INVALID_ARGUMENT for other values, ERR_KEY_USE after destroy().
  static Shared from(Napi::Value value, const char* name) { return Derived::unwrap_argument(value, name)->core(); }

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
