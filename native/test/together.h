// Threads that begin at the same moment, so that they get in each other's way.
#pragma once

#include <atomic>
#include <exception>
#include <thread>
#include <vector>

namespace callseal::test {

// Calls `work(i)` for i from 0 to below `count`, each on a thread of its own. When all have ended, what the first of
// them threw is rethrown.
template <typename Work>
void together(unsigned count, Work&& work) {
  std::atomic<unsigned> ready{0};
  std::vector<std::exception_ptr> failures(count);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < count; ++i) {
    threads.emplace_back([&, i]() {
      ++ready;
      while (ready < count) std::this_thread::yield();
      try {
        work(i);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure != nullptr) std::rethrow_exception(failure);
  }
}

}  // namespace callseal::test
