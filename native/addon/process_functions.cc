#include "process_functions.h"

#include "core_dumps.h"
#include "errors.h"

namespace callseal::addon {
namespace {

void refuse_dumps(const Napi::CallbackInfo& info) {
  guarded(info.Env(), []() { refuse_core_dumps(); });
}

}  // namespace

void define_process_functions(Napi::Env env, Napi::Object exports) {
  exports["refuseCoreDumps"] = Napi::Function::New(env, refuse_dumps);
}

}  // namespace callseal::addon
