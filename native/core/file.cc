#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "error.h"

namespace callseal {
namespace {

constexpr size_t kMaxNameLength = 255;
constexpr char kTemporarySuffix[] = ".callseal-tmp";
// From here on it pays to tell the kernel that a file will be read from its beginning to its end.
constexpr off_t kReadAheadFrom = off_t{1} << 20;

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

std::string random_hex() {
  std::array<uint8_t, 8> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error::io(errno, "cannot read random bytes for a temporary name from", "the kernel");
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

[[noreturn]] void refuse_link(const std::string& path) {
  throw Error::about(Code::kInvalidArgument, path,
                     "is a symbolic link: replacing it would leave the file it points to; name that file itself");
}

[[noreturn]] void throw_replaced(const InputFile& input) {
  throw Error::about(Code::kInputChanged, input.path(), "was replaced by another file while it was read");
}

// The job is in place: the file must have no other name.
void require_single_name(const InputFile& input) {
  struct stat link {};
  if (::lstat(input.path().c_str(), &link) == 0 && S_ISLNK(link.st_mode)) refuse_link(input.path());
  if (input.status().st_nlink > 1) {
    throw Error::about(Code::kInvalidArgument, input.path(),
                       "has " + std::to_string(input.status().st_nlink) +
                           " names (hard links): the other would keep the old content; remove it, or "
                           "write to a new file");
  }
}

FileName split_name(const std::string& path) {
  size_t slash = path.rfind('/');
  FileName name;
  name.directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  name.base = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.base.empty() || name.base == "." || name.base == "..") {
    throw Error(Code::kInvalidArgument, "the output " + path + " names no file");
  }
  return name;
}

// AtomicFile::check. True when the output is the input itself.
bool check_target(const OutputOptions& options, const InputFile* input) {
  struct stat target {};
  if (::lstat(options.path.c_str(), &target) != 0) {
    if (errno == ENOENT) return false;
    throw Error::io(errno, "cannot examine the output", options.path);
  }
  struct stat pointed {};
  if (input != nullptr && S_ISLNK(target.st_mode) && ::stat(options.path.c_str(), &pointed) == 0 &&
      same_file(pointed, input->status())) {
    refuse_link(options.path);
  }
  if (input != nullptr && same_file(target, input->status())) {
    require_single_name(*input);
    return true;
  }
  if (!S_ISREG(target.st_mode)) {
    throw Error::about(
        Code::kOutputExists, options.path,
        std::string("exists and is ") + kind_of(target.st_mode) + ", which is never replaced; choose another output");
  }
  if (!options.replace) {
    throw Error::about(Code::kOutputExists, options.path, "exists already; choose another output or allow overwriting");
  }
  return false;
}

}  // namespace

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

InputFile::InputFile(const std::string& path) : path_(path) {
  // O_NONBLOCK: opening a FIFO must not wait for a writer before it is refused below.
  fd_ = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
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

AtomicFile::AtomicFile(const OutputOptions& options, const InputFile* input)
    : options_(options), name_(split_name(options.path)), in_place_(check_target(options, input)) {
  options_.replace = options.replace || in_place_;
  options_.sync = options.sync || in_place_;  // the only copy of the content is about to be replaced
  directory_ = Descriptor(::open(name_.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory_.get() < 0) throw Error::io(errno, "cannot open the output directory", name_.directory);
  create_temporary();
}

void AtomicFile::check(const OutputOptions& options, const InputFile* input) {
  split_name(options.path);
  check_target(options, input);
}

AtomicFile::~AtomicFile() {
  if (!temporary_name_.empty()) ::unlinkat(directory_.get(), temporary_name_.c_str(), 0);
}

void AtomicFile::create_temporary() {
  std::string tail = "." + random_hex() + kTemporarySuffix;
  std::string name = "." + name_.base.substr(0, kMaxNameLength - 1 - tail.size()) + tail;
  fd_ =
      Descriptor(::openat(directory_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (fd_.get() < 0) throw Error::io(errno, "cannot create a file in", name_.directory);
  temporary_name_ = std::move(name);
}

void AtomicFile::reserve(uint64_t length) {
  // KEEP_SIZE: FAT would fill a longer file with zeros.
  while (::fallocate(fd_.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(length)) != 0) {
    if (errno == EINTR) continue;
    if (errno == ENOSPC || errno == EDQUOT || errno == EFBIG) throw Error::io(errno, "cannot write", options_.path);
    return;  // whatever else is wrong, writing will tell
  }
}

void AtomicFile::write(uint64_t offset, ByteView bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t put = ::pwrite(fd_.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw Error::io(errno, "cannot write", options_.path);
    done += static_cast<size_t>(put);
  }
}

void AtomicFile::truncate(uint64_t length) {
  while (::ftruncate(fd_.get(), static_cast<off_t>(length)) != 0) {
    if (errno != EINTR) throw Error::io(errno, "cannot write", options_.path);
  }
}

void AtomicFile::take_owner(const struct stat& other) {
  if (::fchown(fd_.get(), other.st_uid, other.st_gid) != 0 && errno != EPERM) {
    throw Error::io(errno, "cannot set the owner of", options_.path);
  }
}

bool AtomicFile::replaces(const struct stat& other) const {
  struct stat target {};
  return ::fstatat(directory_.get(), name_.base.c_str(), &target, AT_SYMLINK_NOFOLLOW) == 0 && same_file(target, other);
}

void AtomicFile::rename_over() {
  const int dir = directory_.get();
  const char* from = temporary_name_.c_str();
  const char* to = name_.base.c_str();
  if (options_.replace) {
    if (::renameat(dir, from, dir, to) != 0)
      throw Error::io(errno, "cannot rename the finished file to", options_.path);
    return;
  }
  if (::renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0) return;
  if (errno == EINVAL || errno == ENOSYS) {
    // File systems without RENAME_NOREPLACE (NFS): a hard link refuses an existing name as well.
    if (::linkat(dir, from, dir, to, 0) == 0) {
      ::unlinkat(dir, from, 0);
      return;
    }
  }
  if (errno == EEXIST) throw Error::about(Code::kOutputExists, options_.path, "appeared while it was being written");
  throw Error::io(errno, "cannot rename the finished file to", options_.path);
}

void AtomicFile::sync() {
  if (options_.sync && ::fsync(fd_.get()) != 0) throw Error::io(errno, "cannot sync", options_.path);
}

void AtomicFile::sync_directory() {
  if (options_.sync && ::fsync(directory_.get()) != 0 && errno != EINVAL && errno != EROFS) {
    throw Error::io(errno, "the output is complete and in place, but cannot sync its directory", name_.directory);
  }
}

void AtomicFile::publish() {
  rename_over();
  temporary_name_.clear();
  sync_directory();
}

bool AtomicFile::exchange_names() const {
  const int dir = directory_.get();
  return ::renameat2(dir, temporary_name_.c_str(), dir, name_.base.c_str(), RENAME_EXCHANGE) == 0;
}

void AtomicFile::rename_over_unchanged(const InputFile& input) {
  input.require_unchanged();
  if (!replaces(input.status())) throw_replaced(input);
  rename_over();
  temporary_name_.clear();
}

void AtomicFile::publish_over(const InputFile& input) {
  if (!exchange_names()) {
    if (errno != EINVAL && errno != ENOSYS && errno != ENOENT) {
      throw Error::io(errno, "cannot put the finished file in the place of", options_.path);
    }
    // File systems that cannot exchange (NFS), or the input is gone: as near as can be had.
    rename_over_unchanged(input);
    sync_directory();
    return;
  }
  // The temporary name now holds what was displaced. Only if that is the input, as it was read, may it go.
  struct stat displaced {};
  const bool same = ::fstatat(directory_.get(), temporary_name_.c_str(), &displaced, AT_SYMLINK_NOFOLLOW) == 0 &&
                    same_file(displaced, input.status());
  try {
    if (!same) throw_replaced(input);
    input.require_unchanged();
    sync_directory();
  } catch (...) {
    if (!exchange_names()) temporary_name_.clear();  // never remove what is not ours
    throw;
  }
  ::unlinkat(directory_.get(), temporary_name_.c_str(), 0);
  temporary_name_.clear();
}

}  // namespace callseal
