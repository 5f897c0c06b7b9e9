#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "error.h"

namespace callseal {
namespace {

// From here on it pays to tell the kernel that a file will be read from its beginning to its end.
constexpr off_t kReadAheadFrom = off_t{1} << 20;

bool is_link(int directory, const std::string& name) {
  struct stat status {};
  return ::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode);
}

// Whether the two are names of one file: as somebody leaves it who is killed between giving it one and taking the
// other.
bool is_name_of(int directory, const std::string& to, const std::string& from) {
  struct stat one {
  }, other{};
  const bool found = ::fstatat(directory, to.c_str(), &one, AT_SYMLINK_NOFOLLOW) == 0 &&
                     ::fstatat(directory, from.c_str(), &other, AT_SYMLINK_NOFOLLOW) == 0;
  const bool same = found && same_file(one, other);
  errno = EEXIST;
  return same;
}

// What leads from `root` to `path`.
std::string way_below(const std::string& root, const std::string& path) {
  const std::string stem = root.back() == '/' ? root : root + "/";
  if (path == root) return "";
  if (path.compare(0, stem.size(), stem) == 0) return path.substr(stem.size());
  throw Error::about(Code::kInvalidArgument, path, "is not below " + root);
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
  if (is_link(AT_FDCWD, input.path())) refuse_link(input.path());
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
  if (::linkat(directory, from.c_str(), directory, to.c_str(), 0) != 0 &&
      !(errno == EEXIST && is_name_of(directory, to, from))) {
    return false;
  }
  ::unlinkat(directory, from.c_str(), 0);
  return true;
}

Descriptor open_directory(const std::string& path) {
  Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0) throw Error::io(errno, "cannot open the directory", path);
  return directory;
}

Descriptor open_directory_below(const std::string& root, const std::string& path) {
  if (root.empty()) return open_directory(path);
  Descriptor directory = open_directory(root);
  const std::string way = way_below(root, path);
  for (size_t begin = 0, end = 0; begin < way.size(); begin = end + 1) {
    end = std::min(way.find('/', begin), way.size());
    const std::string step = way.substr(begin, end - begin);
    if (step.empty() || step == ".") continue;
    if (step == "..") throw Error::about(Code::kInvalidArgument, path, "leads out of " + root);
    Descriptor next(::openat(directory.get(), step.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (next.get() < 0) throw Error::io(errno, "cannot open the directory", path);
    directory = std::move(next);
  }
  return directory;
}

bool directory_synced(const Descriptor& directory) {
  return ::fsync(directory.get()) == 0 || errno == EINVAL || errno == EROFS;
}

void sync_directory(const Descriptor& directory, const std::string& path) {
  if (!directory_synced(directory)) {
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

InputFile::InputFile(const std::string& path, Links links) : InputFile(AT_FDCWD, path, path, links) {}

InputFile::InputFile(const Descriptor& directory, const std::string& name, const std::string& path, Links links)
    : InputFile(directory.get(), name, path, links) {}

InputFile::InputFile(int directory, const std::string& name, const std::string& path, Links links) : path_(path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer before it is refused below.
  const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (links == Links::kRefused ? O_NOFOLLOW : 0);
  fd_ = Descriptor(::openat(directory, name.c_str(), flags));
  if (fd_.get() < 0 && errno == ELOOP && links == Links::kRefused && is_link(directory, name)) refuse_link(path);
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
