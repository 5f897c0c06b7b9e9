#include "core_dumps.h"

#include <sys/resource.h>

#include <algorithm>

#include "own_process.h"
#include "test.h"

namespace callseal::test {
namespace {

// 1 is the limit at which the kernel neither writes a file nor pipes to a program.
TEST(core_dumps_are_refused_and_can_be_allowed_from_outside) {
  struct rlimit before {};
  CHECK_EQ(getrlimit(RLIMIT_CORE, &before), 0);
  refuse_core_dumps();
  struct rlimit after {};
  CHECK_EQ(getrlimit(RLIMIT_CORE, &after), 0);
  CHECK_EQ(after.rlim_cur, std::min(rlim_t{1}, before.rlim_max));
  CHECK_EQ(after.rlim_max, before.rlim_max);
  CHECK_EQ(setrlimit(RLIMIT_CORE, &before), 0);
}

TEST(core_dumps_that_are_forbidden_stay_so) {
  check_in_own_process([] {
    struct rlimit none {
    }, after{};
    bool ok = setrlimit(RLIMIT_CORE, &none) == 0;
    refuse_core_dumps();
    ok = ok && getrlimit(RLIMIT_CORE, &after) == 0 && after.rlim_cur == 0 && after.rlim_max == 0;
    return ok;
  });
}

}  // namespace
}  // namespace callseal::test
