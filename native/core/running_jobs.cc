#include "running_jobs.h"

#include <algorithm>
#include <mutex>

namespace callseal {
namespace {

constexpr size_t kFirstSweep = 64;

// Never deleted: pool threads may be in it when the process exits.
struct Process {
  std::mutex mutex;
  std::set<RunningJobs*> owners;
  bool ended = false;

  static Process& get() {
    static Process& process = *new Process;
    return process;
  }
};

}  // namespace

RunningJobs::RunningJobs() : next_sweep_(kFirstSweep) {
  Process& process = Process::get();
  std::lock_guard<std::mutex> lock(process.mutex);
  process.owners.insert(this);
}

RunningJobs::~RunningJobs() {
  Process& process = Process::get();
  std::lock_guard<std::mutex> lock(process.mutex);
  process.owners.erase(this);
}

void RunningJobs::add(const std::shared_ptr<JobControl>& job) {
  Process& process = Process::get();
  std::lock_guard<std::mutex> lock(process.mutex);
  if (ended_ || process.ended) job->cancel();
  if (jobs_.size() >= next_sweep_) forget_ended();
  jobs_.insert(job);
}

void RunningJobs::cancel_all() {
  std::lock_guard<std::mutex> lock(Process::get().mutex);
  cancel_listed();
}

void RunningJobs::cancel_process() {
  Process& process = Process::get();
  std::lock_guard<std::mutex> lock(process.mutex);
  process.ended = true;
  for (RunningJobs* owner : process.owners) owner->cancel_listed();
}

size_t RunningJobs::size() const {
  std::lock_guard<std::mutex> lock(Process::get().mutex);
  return jobs_.size();
}

void RunningJobs::cancel_listed() {
  ended_ = true;
  for (const Job& each : jobs_) {
    if (std::shared_ptr<JobControl> job = each.lock()) job->cancel();
  }
}

// Only when twice as many are listed as ran the last time, so that a job costs no more in the end than its own entry.
void RunningJobs::forget_ended() {
  for (auto each = jobs_.begin(); each != jobs_.end();) each = each->expired() ? jobs_.erase(each) : std::next(each);
  next_sweep_ = std::max(kFirstSweep, 2 * jobs_.size());
}

}  // namespace callseal
