// The jobs under way that can be stopped between two blocks: those of an owner, and those of the whole process.
#pragma once

#include <memory>
#include <set>

#include "job_control.h"

namespace callseal {

// The jobs of one owner, such as a thread of scripts. Whoever ends waits for the jobs of a thread pool, and one job may
// have terabytes before it. Any number of threads may call.
class RunningJobs {
 public:
  RunningJobs();
  ~RunningJobs();
  RunningJobs(const RunningJobs&) = delete;
  RunningJobs& operator=(const RunningJobs&) = delete;

  // The same control may come again, with another job. One that comes after the owner, or the process, was cancelled is
  // cancelled at once.
  void add(const std::shared_ptr<JobControl>& job);
  // Of those under way and those that wait for a thread.
  void cancel_all();
  // The same, of every owner.
  static void cancel_process();

  // Those that are listed, some of which may have ended.
  size_t size() const;

 private:
  void cancel_listed();
  void forget_ended();

  using Job = std::weak_ptr<JobControl>;
  std::set<Job, std::owner_less<Job>> jobs_;
  size_t next_sweep_;
  bool ended_ = false;
};

}  // namespace callseal
