#include "running_jobs.h"

#include <algorithm>

namespace callseal::addon {

void RunningJobs::add(const std::shared_ptr<JobControl>& job) {
  if (jobs_.size() >= next_sweep_) forget_ended();
  jobs_.push_back(job);
}

void RunningJobs::cancel_all() {
  for (const std::weak_ptr<JobControl>& each : jobs_) {
    if (std::shared_ptr<JobControl> job = each.lock()) job->cancel();
  }
}

// Only when twice as many are listed as ran the last time, so that a job costs no more in the end than its own entry.
void RunningJobs::forget_ended() {
  jobs_.erase(std::remove_if(jobs_.begin(), jobs_.end(), [](const auto& job) { return job.expired(); }), jobs_.end());
  next_sweep_ = std::max<size_t>(64, 2 * jobs_.size());
}

}  // namespace callseal::addon
