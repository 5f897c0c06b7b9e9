#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "error.h"
#include "file.h"

namespace callseal {
namespace {

struct OpenFile {
  Descriptor fd;
  mode_t type;
};

[[noreturn]] void fail(int errno_value, const char* what, const std::string& path) {
  throw Error::io(errno_value, std::string("cannot read ") + what, path);
}

OpenFile open_file(const std::string& path, int flags, const char* what) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | flags);
  } while (fd < 0 && errno == EINTR);
  if (fd < 0) fail(errno, what, path);
  Descriptor owner(fd);
  struct stat status {};
  if (::fstat(fd, &status) != 0) fail(errno, what, path);
  return {std::move(owner), status.st_mode & S_IFMT};
}

SecretBytes read_up_to(int fd, size_t limit, const char* what, const std::string& path) {
  constexpr size_t kChunk = 16384;
  SecretBytes bytes;
  while (bytes.size() < limit) {
    size_t have = bytes.size();
    bytes.resize(have + std::min(kChunk, limit - have));
    ssize_t got = ::read(fd, bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno != EINTR) fail(errno, what, path);
    bytes.resize(have + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
  }
  return bytes;
}

}  // namespace

SecretBytes read_secret_file(const std::string& path, size_t max_bytes, const char* what) {
  OpenFile file = open_file(path, 0, what);
  if (file.type == S_IFDIR) fail(EISDIR, what, path);
  // A terminal or /dev/zero instead of a file is a mistake, not an input.
  if (file.type != S_IFREG && file.type != S_IFIFO) fail(ENOTSUP, what, path);
  return read_up_to(file.fd.get(), max_bytes + 1, what, path);
}

std::optional<SecretBytes> read_regular_file(const std::string& path, size_t max_bytes, const char* what) {
  OpenFile file = open_file(path, O_NONBLOCK, what);
  if (file.type != S_IFREG) return std::nullopt;
  return read_up_to(file.fd.get(), max_bytes + 1, what, path);
}

}  // namespace callseal
