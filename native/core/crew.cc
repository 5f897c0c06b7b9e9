#include "crew.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "out_of_memory.h"

namespace callseal {
namespace {

// One call of run(): it lives on the caller's stack, and the caller leaves only when nobody holds it.
struct Piece {
  const std::function<void(unsigned)>& work;
  unsigned wanted;   // helpers that may still join
  unsigned next;     // number of the next member
  unsigned running;  // helpers at work
  std::exception_ptr failure;
};

void call(Piece& piece, unsigned member, std::exception_ptr* failure) {
  try {
    telling_of_memory([&]() { piece.work(member); });  // errno is a thread's own
  } catch (...) {
    *failure = std::current_exception();
  }
}

// Signals belong to Node's threads.
class BlockedSignals {
 public:
  BlockedSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &previous_);
  }
  ~BlockedSignals() { pthread_sigmask(SIG_SETMASK, &previous_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  sigset_t previous_;
};

}  // namespace

struct Crew::State {
  std::mutex mutex;
  std::condition_variable asked;  // a piece wants helpers
  std::condition_variable ended;  // a helper has ended
  std::deque<Piece*> pieces;      // those that want helpers
  unsigned helpers = 0;

  void help() {
    std::unique_lock<std::mutex> lock(mutex);
    for (;;) {
      asked.wait(lock, [this]() { return !pieces.empty(); });
      Piece& piece = *pieces.front();
      unsigned member = piece.next++;
      ++piece.running;
      if (--piece.wanted == 0) pieces.pop_front();
      lock.unlock();
      std::exception_ptr failure;
      call(piece, member, &failure);
      lock.lock();
      if (piece.failure == nullptr) piece.failure = failure;
      if (--piece.running == 0) ended.notify_all();
    }
  }

  // With the mutex held. A system that gives no more threads leaves the crew smaller.
  void start_helpers(unsigned count) {
    BlockedSignals blocked;
    try {
      for (; helpers < count; ++helpers) std::thread([this]() { help(); }).detach();
    } catch (const std::system_error&) {
    }
  }
};

Crew::Crew() : state_(new State) {}

Crew& Crew::get() {
  static Crew* crew = new Crew;
  return *crew;
}

unsigned Crew::cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return std::max(1U, std::thread::hardware_concurrency());
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

void Crew::run(unsigned members, const std::function<void(unsigned member)>& work) {
  if (members <= 1) return work(0);
  Piece piece{work, members - 1, 1, 0, nullptr};
  {
    std::lock_guard<std::mutex> lock(state_->mutex);
    state_->start_helpers(std::min(members, cores()) - 1);
    state_->pieces.push_back(&piece);
  }
  state_->asked.notify_all();

  std::exception_ptr failure;
  call(piece, 0, &failure);

  std::unique_lock<std::mutex> lock(state_->mutex);
  auto& pieces = state_->pieces;
  pieces.erase(std::remove(pieces.begin(), pieces.end(), &piece), pieces.end());
  state_->ended.wait(lock, [&]() { return piece.running == 0; });
  if (failure == nullptr) failure = piece.failure;
  lock.unlock();
  if (failure != nullptr) std::rethrow_exception(failure);
}

}  // namespace callseal
