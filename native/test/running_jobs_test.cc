#include "running_jobs.h"

#include "own_process.h"
#include "test.h"

namespace callseal::test {
namespace {

using Control = std::shared_ptr<JobControl>;

bool is_cancelled(const Control& job) {
  try {
    job->check();
    return false;
  } catch (const Error& error) {
    return error.code() == Code::kAborted;
  }
}

TEST(running_jobs_of_one_owner_are_cancelled) {
  RunningJobs ours, theirs;
  const Control first = std::make_shared<JobControl>(), second = std::make_shared<JobControl>();
  ours.add(first);
  theirs.add(second);
  ours.cancel_all();
  CHECK(is_cancelled(first));
  CHECK(!is_cancelled(second));
  const Control late = std::make_shared<JobControl>();
  ours.add(late);
  CHECK(is_cancelled(late));
}

TEST(running_jobs_cost_one_entry_a_control_while_it_lives) {
  RunningJobs jobs;
  const Control kept = std::make_shared<JobControl>();
  for (int i = 0; i < 10'000; ++i) {
    jobs.add(kept);
    jobs.add(std::make_shared<JobControl>());
    CHECK(jobs.size() <= 65);
  }
  jobs.cancel_all();
  CHECK(is_cancelled(kept));
}

// In a process of its own, as it ends.
TEST(running_jobs_of_the_process_are_cancelled) {
  check_in_own_process([] {
    RunningJobs ours, theirs;
    const Control first = std::make_shared<JobControl>(), second = std::make_shared<JobControl>();
    { RunningJobs gone; }
    ours.add(first);
    theirs.add(second);
    RunningJobs::cancel_process();
    const Control late = std::make_shared<JobControl>(), later = std::make_shared<JobControl>();
    theirs.add(late);
    RunningJobs created;
    created.add(later);
    bool ok = true;
    for (const Control& each : {first, second, late, later}) ok = ok && is_cancelled(each);
    return ok;
  });
}

}  // namespace
}  // namespace callseal::test
