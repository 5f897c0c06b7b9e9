#include "core_dumps.h"

#include <errno.h>
#include <sys/resource.h>

#include <algorithm>

#include "error.h"

namespace callseal {
namespace {

// Too short for a file, and the one limit at which the kernel starts no program to pipe a dump to; at 0 it does
// (fs/coredump.c).
constexpr rlim_t kNeither = 1;

}  // namespace

void refuse_core_dumps() {
  struct rlimit limit {};
  bool done = ::getrlimit(RLIMIT_CORE, &limit) == 0;
  limit.rlim_cur = std::min(kNeither, limit.rlim_max);
  if (!done || ::setrlimit(RLIMIT_CORE, &limit) != 0) throw Error::io(errno, "cannot switch off", "core dumps");
}

}  // namespace callseal
