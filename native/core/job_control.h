// How a running job is watched and stopped from another thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "error.h"

namespace callseal {

class JobControl {
 public:
  // `pulse` is called by check(): whoever calls cancel() may learn from it that a job is under way.
  explicit JobControl(std::function<void()> pulse = {}) : pulse_(std::move(pulse)) {}

  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  uint64_t progress() const { return progress_.load(std::memory_order_relaxed); }
  // Bytes of input in all; 0 until the job has opened it.
  uint64_t total() const { return total_.load(std::memory_order_relaxed); }
  void begin(uint64_t total) { total_.store(total, std::memory_order_relaxed); }
  void advance(uint64_t bytes) { progress_.fetch_add(bytes, std::memory_order_relaxed); }
  // Called between blocks of work, by all threads. kAborted once cancel() was called, and what the guard throws.
  void check() const {
    if (cancelled_.load(std::memory_order_relaxed)) throw Error(Code::kAborted, "the operation was cancelled");
    if (pulse_) pulse_();
    if (guard_) guard_();
  }
  // What else may end the job early. Not while it runs.
  void set_guard(std::function<void()> guard) { guard_ = std::move(guard); }

 private:
  const std::function<void()> pulse_;
  std::atomic<bool> cancelled_{false};
  std::atomic<uint64_t> progress_{0};
  std::atomic<uint64_t> total_{0};
  std::function<void()> guard_;
};

}  // namespace callseal
