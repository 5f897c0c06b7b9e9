#include "file_lock.h"

#include <errno.h>
#include <sys/file.h>

namespace callseal {

LockOutcome lock_file(int fd) {
  while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    return errno == EWOULDBLOCK ? LockOutcome::kTaken : LockOutcome::kUnavailable;
  }
  return LockOutcome::kLocked;
}

}  // namespace callseal
