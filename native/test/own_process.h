// What changes a process for ever, tried in one of its own.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

namespace callseal::test {

// Checks that `holds` is true in a child of this process.
template <typename Holds>
void check_in_own_process(Holds&& holds) {
  const pid_t child = fork();
  if (child == 0) _exit(holds() ? 0 : 1);
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFEXITED(status));
  CHECK_EQ(WEXITSTATUS(status), 0);
}

}  // namespace callseal::test
