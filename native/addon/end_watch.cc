#include "end_watch.h"

#include <utility>

namespace callseal::addon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Clock::duration kPause = std::chrono::milliseconds(100);

// By calls that run no script of anybody.
bool may_run_scripts(napi_env env) {
  napi_value object = nullptr;
  bool found = false;
  return napi_create_object(env, &object) == napi_ok && napi_has_named_property(env, object, "a", &found) == napi_ok;
}

}  // namespace

std::shared_ptr<EndWatch> EndWatch::start(napi_env env, RunningJobs& jobs) {
  std::shared_ptr<EndWatch> watch(new EndWatch(jobs));
  napi_value name = nullptr;
  const bool made = napi_create_string_utf8(env, "callseal", NAPI_AUTO_LENGTH, &name) == napi_ok &&
                    napi_create_threadsafe_function(env, nullptr, nullptr, name, 1, 1, nullptr, nullptr, watch.get(),
                                                    answer, &watch->function_) == napi_ok;
  if (!made) return watch;  // an environment that is ended already
  napi_unref_threadsafe_function(env, watch->function_);
  watch->open_ = watch;
  napi_add_env_cleanup_hook(env, close, watch.get());
  return watch;
}

void EndWatch::ask() {
  const Clock::rep now = Clock::now().time_since_epoch().count();
  Clock::rep next = next_.load(std::memory_order_relaxed);
  if (now < next || !next_.compare_exchange_strong(next, now + kPause.count(), std::memory_order_relaxed)) return;
  std::lock_guard<std::mutex> lock(mutex_);
  if (function_ != nullptr) napi_call_threadsafe_function(function_, nullptr, napi_tsfn_nonblocking);
}

void EndWatch::answer(napi_env env, napi_value, void* watch, void*) {
  if (env != nullptr && !may_run_scripts(env)) static_cast<EndWatch*>(watch)->jobs_.cancel_all();
}

void EndWatch::close(void* watch) {
  std::shared_ptr<EndWatch> self = std::move(static_cast<EndWatch*>(watch)->open_);
  std::lock_guard<std::mutex> lock(self->mutex_);
  napi_release_threadsafe_function(std::exchange(self->function_, nullptr), napi_tsfn_abort);
}

}  // namespace callseal::addon
