#include "core_dumps.h"

#include <sys/resource.h>

#include "test.h"

namespace callseal::test {
namespace {

TEST(core_dumps_are_refused_and_can_be_allowed_from_outside) {
  struct rlimit before {};
  CHECK_EQ(getrlimit(RLIMIT_CORE, &before), 0);
  refuse_core_dumps();
  struct rlimit after {};
  CHECK_EQ(getrlimit(RLIMIT_CORE, &after), 0);
  CHECK_EQ(after.rlim_cur, rlim_t{0});
  CHECK_EQ(after.rlim_max, before.rlim_max);
  CHECK_EQ(setrlimit(RLIMIT_CORE, &before), 0);
}

}  // namespace
}  // namespace callseal::test
