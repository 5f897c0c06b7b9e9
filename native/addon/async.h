// One piece of core work on a pool thread, as a promise.
#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include "errors.h"
#include "out_of_memory.h"

namespace callseal::addon {

// Deletes itself when done. Work reads from copies, because scripts could detach, shrink or rewrite a buffer of theirs
// meanwhile.
template <typename Result>
class PromiseWork : public Napi::AsyncWorker {
 public:
  using Work = std::function<Result()>;
  using Convert = std::function<Napi::Value(Napi::Env, Result&)>;

  // `work` runs on a pool thread and touches no JavaScript; `convert` runs on the JavaScript thread afterwards.
  static Napi::Promise run(Napi::Env env, Work work, Convert convert) {
    auto* self = new PromiseWork(env, std::move(work), std::move(convert));
    Napi::Promise promise = self->deferred_.Promise();
    self->Queue();
    return promise;
  }

 private:
  PromiseWork(Napi::Env env, Work work, Convert convert)
      : Napi::AsyncWorker(env, "callseal"), deferred_(env), work_(std::move(work)), convert_(std::move(convert)) {}

  void Execute() override {
    try {
      result_.emplace(telling_of_memory(work_));
    } catch (...) {
      thrown_ = std::current_exception();
    }
  }

  void OnOK() override {
    Napi::HandleScope scope(Env());
    try {
      settle();
    } catch (const Napi::Error&) {
      // The environment is being torn down (worker.terminate()): no script is left to tell.
    }
  }

  void settle() {
    if (thrown_ == nullptr) {
      try {
        deferred_.Resolve(convert_(Env(), *result_));
        return;
      } catch (const Napi::Error& error) {
        deferred_.Reject(error.Value());
        return;
      } catch (...) {
        thrown_ = std::current_exception();
      }
    }
    deferred_.Reject(to_javascript(Env(), thrown_));
  }

  Napi::Promise::Deferred deferred_;
  Work work_;
  Convert convert_;
  std::optional<Result> result_;
  std::exception_ptr thrown_;
};

}  // namespace callseal::addon
