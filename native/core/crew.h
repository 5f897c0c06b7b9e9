// Threads that help with one large piece of work: as many as the process has cores, less the one that asks.
//
// Not a queue of jobs: a piece of work is begun by the thread that has it, and helpers join where they are idle. When
// all are busy, the work is done by its own thread alone, so nothing waits and nothing can deadlock.
#pragma once

#include <cstddef>
#include <functional>

namespace callseal {

class Crew {
 public:
  // The process's crew. Helpers are started when they are first needed and live as long as the process.
  static Crew& get();

  // Cores this process may run on; at least 1.
  static unsigned cores();

  // Calls `work(member)` on the calling thread (member 0) and, where helpers are idle, on up to `members` − 1 others
  // (members 1, 2, …) at the same time; returns when all that began have ended. Each call is to take what is left to do
  // until nothing is, as calls may come late or not at all. The first exception is rethrown, after all have ended.
  void run(unsigned members, const std::function<void(unsigned member)>& work);

 private:
  struct State;
  Crew();
  State* state_;  // never deleted: helpers wait in it when the process exits
};

}  // namespace callseal
