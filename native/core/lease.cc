#include "lease.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "error.h"

namespace callseal {
namespace {

// There a lease takes the server's leave (a delegation, an oplock), and EAGAIN says as well that it was not given.
bool is_remote(int fd) {
  constexpr uint32_t kRemote[] = {NFS_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC};
  struct statfs system {};
  if (::fstatfs(fd, &system) != 0) return false;
  return std::find(std::begin(kRemote), std::end(kRemote), static_cast<uint32_t>(system.f_type)) != std::end(kRemote);
}

}  // namespace

Lease::Lease(int fd, const std::string& path) : fd_(fd) {
  // The holder is told of an opener by SIGIO, which would end the process. SIGURG is ignored unless somebody handles
  // it.
  if (::fcntl(fd, F_SETSIG, SIGURG) == 0 && ::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) return;
  refusal_ = errno;
  if (refusal_ == EAGAIN && !is_remote(fd)) {
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
