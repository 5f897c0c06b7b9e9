#include "lease.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "error.h"

namespace callseal {

Lease::Lease(int fd, const std::string& path) : fd_(fd) {
  // The holder is told of an opener by SIGIO, which would end the process. SIGURG is ignored unless somebody handles
  // it.
  if (::fcntl(fd, F_SETSIG, SIGURG) == 0 && ::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) return;
  refusal_ = errno;
  if (refusal_ == EAGAIN) {
    throw Error::about(Code::kInputBusy, path, "is open for writing in another process; it is not finished");
  }
}

Lease::~Lease() {
  if (taken()) ::fcntl(fd_, F_SETLEASE, F_UNLCK);
}

bool Lease::held() const {
  return taken() && ::fcntl(fd_, F_GETLEASE) == F_RDLCK;
}

}  // namespace callseal
