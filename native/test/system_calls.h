// The core's system calls, seen and disturbed by the tests: this program's definitions take the place of libc's.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace callseal::test {

// While one lives (the core may call from many threads), calls of fallocate, pwrite, fsync, fchown, renameat,
// renameat2, linkat and unlinkat are noted, and may be made to fail.
class SystemCalls {
 public:
  SystemCalls();
  ~SystemCalls();
  SystemCalls(const SystemCalls&) = delete;
  SystemCalls& operator=(const SystemCalls&) = delete;

  // Before each call. Not 0: the call fails with that errno and is not made. `name` is the function's.
  std::function<int(const std::string& name)> before;
  // After each call of renameat2 that succeeded.
  std::function<void()> after_exchange;
  // False: as on a file system without O_TMPFILE.
  bool unnamed_files = true;
  // Not 0: the errno with which no lease is given.
  int lease_failure = 0;
  // At most so many bytes are written at a time.
  size_t longest_write = SIZE_MAX;
  // Names of the calls in order, such as {"pwrite", "fsync"}.
  std::vector<std::string> seen;

  size_t count(const std::string& name) const;
};

}  // namespace callseal::test
