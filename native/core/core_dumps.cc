#include "core_dumps.h"

#include <errno.h>
#include <sys/resource.h>

#include "error.h"

namespace callseal {

void refuse_core_dumps() {
  struct rlimit limit {};
  bool done = ::getrlimit(RLIMIT_CORE, &limit) == 0;
  limit.rlim_cur = 0;
  if (!done || ::setrlimit(RLIMIT_CORE, &limit) != 0) throw Error::io(errno, "cannot switch off", "core dumps");
}

}  // namespace callseal
