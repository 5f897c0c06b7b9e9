// What one JavaScript environment (main thread or worker) holds: the error class, the handle classes, the jobs under
// way.
#pragma once

#include <napi.h>

#include "end_watch.h"
#include "running_jobs.h"

namespace callseal::addon {

struct Environment {
  explicit Environment(Napi::Env env) : end_watch(EndWatch::start(env, jobs)) {}

  Napi::FunctionReference error_class;
  Napi::FunctionReference passphrase;
  Napi::FunctionReference secret_key;
  Napi::FunctionReference public_key;
  Napi::FunctionReference private_key;
  Napi::FunctionReference master_key;
  Napi::FunctionReference working_key;
  Napi::FunctionReference floe_encryptor;
  Napi::FunctionReference input_file;
  Napi::FunctionReference cms_input;
  RunningJobs jobs;
  std::shared_ptr<EndWatch> end_watch;

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }
};

}  // namespace callseal::addon
