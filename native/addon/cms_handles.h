// CMS messages as JavaScript sees them; see lib/native/cms-binding.ts.
#pragma once

#include "cms_job.h"
#include "handle.h"

namespace callseal::addon {

class CmsInputHandle : public Handle<CmsInputHandle, CmsInput> {
 public:
  static constexpr char kName[] = "CmsInput";
  static constexpr napi_type_tag kTag{0x8c2f6b1d93e04a75, 0xe61b0a7f35c9d248};
  using Handle::Handle;
  static Napi::FunctionReference& constructor(Napi::Env env) { return Environment::of(env).cms_input; }
  static Napi::Function define(Napi::Env env);

 private:
  Napi::Value recipients(const Napi::CallbackInfo& info);
  Napi::Value match(const Napi::CallbackInfo& info);
  Napi::Value unwrap(const Napi::CallbackInfo& info);
  Napi::Value import_file(const Napi::CallbackInfo& info);
};

// exportCms of the binding.
Napi::Value export_cms_file(const Napi::CallbackInfo& info);

}  // namespace callseal::addon
