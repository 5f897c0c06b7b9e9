#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <utility>

#include "error.h"

namespace callseal {
namespace {

// From here on it pays to tell the kernel that a file will be read from its beginning to its end.
constexpr off_t kReadAheadFrom = off_t{1} << 20;

bool is_link(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

}  // namespace

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

void refuse_link(const std::string& path) {
  throw Error::about(Code::kInvalidArgument, path,
                     "is a symbolic link: replacing it would leave the file it points to; name that file itself");
}

void require_single_name(const InputFile& input) {
  if (is_link(input.path())) refuse_link(input.path());
  if (input.status().st_nlink > 1) {
    throw Error::about(Code::kInvalidArgument, input.path(),
                       "has " + std::to_string(input.status().st_nlink) +
                           " names (hard links): the other would keep the old content; remove it, or "
                           "write to a new file");
  }
}

bool rename_without_replacing(int directory, const std::string& from, const std::string& to) {
  if (::renameat2(directory, from.c_str(), directory, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  // File systems without RENAME_NOREPLACE (NFS): a hard link refuses an existing name as well.
  if (::linkat(directory, from.c_str(), directory, to.c_str(), 0) != 0) return false;
  ::unlinkat(directory, from.c_str(), 0);
  return true;
}

Descriptor open_directory(const std::string& path) {
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) throw Error::io(errno, "cannot open the directory", path);
  return directory;
}

void sync_directory(const Descriptor& directory, const std::string& path) {
  if (::fsync(directory.get()) != 0 && errno != EINVAL && errno != EROFS) {
    throw Error::io(errno, "the output is complete and in place, but cannot sync its directory", path);
  }
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

InputFile::InputFile(const std::string& path, Links links) : path_(path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer before it is refused below.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (links == Links::kRefused ? O_NOFOLLOW : 0);
  fd_ = Descriptor(::open(path.c_str(), flags));
  if (fd_.get() < 0 && errno == ELOOP && links == Links::kRefused && is_link(path)) refuse_link(path);
  if (fd_.get() < 0) throw Error::io(errno, "cannot open", path);
  if (::fstat(fd_.get(), &status_) != 0) throw Error::io(errno, "cannot examine", path);
  if (S_ISDIR(status_.st_mode)) {
    throw Error::about(Code::kInvalidArgument, path, "is a directory; name the files in it");
  }
  if (!S_ISREG(status_.st_mode)) {
    throw Error::about(Code::kInvalidArgument, path,
                       "is not a regular file; use a stream (`-` on the command line) for it");
  }
  if (status_.st_size >= kReadAheadFrom) ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

size_t InputFile::read_at(uint64_t offset, uint8_t* out, size_t length) const {
  size_t filled = 0;
  while (filled < length) {
    ssize_t got = ::pread(fd_.get(), out + filled, length - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error::io(errno, "cannot read", path_);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  return filled;
}

void InputFile::read_exactly(uint64_t offset, uint8_t* out, size_t length) const {
  if (read_at(offset, out, length) == length) return;
  throw Error::about(Code::kInputChanged, path_, "became shorter while it was read; try again when it is finished");
}

void InputFile::require_unchanged() const {
  struct stat now {};
  if (::fstat(fd_.get(), &now) != 0) throw Error::io(errno, "cannot examine", path_);
  if (now.st_size != status_.st_size || !same_time(now.st_mtim, status_.st_mtim)) {
    throw Error::about(Code::kInputChanged, path_, "was written to while it was read; try again when it is finished");
  }
}

}  // namespace callseal
