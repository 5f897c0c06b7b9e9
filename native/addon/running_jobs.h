// The jobs of one environment that can be stopped between two blocks.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "job_control.h"

namespace callseal::addon {

// Used on the environment's own thread only.
class RunningJobs {
 public:
  void add(const std::shared_ptr<JobControl>& job);
  // Of those under way and those that wait for a thread. A process that exits, or a worker, waits for the jobs of
  // libuv's pool, and one job may have terabytes before it.
  void cancel_all();

 private:
  void forget_ended();

  std::vector<std::weak_ptr<JobControl>> jobs_;
  size_t next_sweep_ = 64;
};

}  // namespace callseal::addon
