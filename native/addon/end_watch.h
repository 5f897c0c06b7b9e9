// Notices that a worker is terminated while its jobs run, and cancels them.
//
// Of worker.terminate() Node gives native code no sign: no script runs any more, `exit` listeners included, and cleanup
// hooks come when the jobs have ended. But while Node waits for them the worker's event loop turns: a call that a job
// sends into its thread arrives there, and finds that no script may run.
#pragma once

#include <node_api.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>

#include "running_jobs.h"

namespace callseal::addon {

class EndWatch {
 public:
  // `jobs` lives as long as the environment. Does not keep the event loop running.
  static std::shared_ptr<EndWatch> start(napi_env env, RunningJobs& jobs);
  EndWatch(const EndWatch&) = delete;
  EndWatch& operator=(const EndWatch&) = delete;

  // Asks the environment's thread, though not more often than every 100 ms. From any thread, also when the environment
  // has gone.
  void ask();

 private:
  explicit EndWatch(RunningJobs& jobs) : jobs_(jobs) {}
  static void answer(napi_env env, napi_value, void* watch, void*);
  static void close(void* watch);

  RunningJobs& jobs_;
  std::atomic<std::chrono::steady_clock::rep> next_{0};
  std::mutex mutex_;
  napi_threadsafe_function function_ = nullptr;  // null once the environment is torn down
  std::shared_ptr<EndWatch> open_;               // itself, until then
};

}  // namespace callseal::addon
