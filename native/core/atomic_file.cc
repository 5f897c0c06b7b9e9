#include "atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <utility>

#include "displaced_file.h"
#include "error.h"
#include "file_lock.h"

namespace callseal {
namespace {

// Names that a cleaner has removed before they could be locked: one is rare enough.
constexpr int kMostAttempts = 100;

const char* kind_of(mode_t mode) {
  if (S_ISDIR(mode)) return "a directory";
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISFIFO(mode)) return "a FIFO";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

[[noreturn]] void throw_replaced(const InputFile& input) {
  throw Error::about(Code::kInputChanged, input.path(), "was replaced by another file while it was read");
}

[[noreturn]] void throw_removed(const InputFile& input) {
  throw Error::about(Code::kInputChanged, input.path(), "was removed or renamed by another process while it was read");
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
  if (input != nullptr && options.path == input->path()) throw_replaced(*input);
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

// Files without a name are named through /proc: AT_EMPTY_PATH needs a privilege on older kernels.
bool has_descriptor_names() {
  static const bool found = ::access("/proc/self/fd", X_OK) == 0;
  return found;
}

// False with errno set.
bool link_unnamed(int fd, int directory, const std::string& name) {
  const std::string source = "/proc/self/fd/" + std::to_string(fd);
  return ::linkat(AT_FDCWD, source.c_str(), directory, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

[[noreturn]] void throw_appeared(const std::string& path) {
  throw Error::about(Code::kOutputExists, path, "appeared while it was being written");
}

}  // namespace

AtomicFile::AtomicFile(const OutputOptions& options, const InputFile* input)
    : options_(options), name_(split_name(options.path)), in_place_(check_target(options, input)) {
  options_.replace = options.replace || in_place_;
  options_.sync = options.sync || in_place_;  // the only copy of the content is about to be replaced
  directory_ = open_directory_below(options.root, name_.directory);
  if (!create_unnamed()) create_temporary();
}

void AtomicFile::check(const OutputOptions& options, const InputFile* input) {
  split_name(options.path);
  check_target(options, input);
}

AtomicFile::~AtomicFile() {
  if (!temporary_name_.empty()) ::unlinkat(directory_.get(), temporary_name_.c_str(), 0);
}

bool AtomicFile::create_unnamed() {
  if (!has_descriptor_names()) return false;
  fd_ = Descriptor(::openat(directory_.get(), ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600));
  return fd_.get() >= 0;
}

void AtomicFile::create_temporary() {
  for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
    std::string name = hidden_name(name_.base, HiddenKind::kTemporary);
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    fd_ = Descriptor(::openat(directory_.get(), name.c_str(), flags, 0600));
    if (fd_.get() < 0) throw Error::io(errno, "cannot create a file in", name_.directory);
    // A cleaner may take it for a dead writer's until it is locked.
    struct stat status {};
    if (lock_file(fd_.get()) != LockOutcome::kTaken && ::fstat(fd_.get(), &status) == 0 && status.st_nlink == 1) {
      temporary_name_ = std::move(name);
      return;
    }
    ::unlinkat(directory_.get(), name.c_str(), 0);
  }
  throw Error::io(EBUSY, "cannot create a file in", name_.directory);
}

void AtomicFile::take_temporary_name() {
  if (!unnamed()) return;
  lock_file(fd_.get());
  std::string name = hidden_name(name_.base, HiddenKind::kTemporary);
  if (!link_unnamed(fd_.get(), directory_.get(), name)) {
    throw Error::io(errno, "cannot name a file in", name_.directory);
  }
  temporary_name_ = std::move(name);  // a copy could fail, and leave a name that nobody removes
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
  struct stat own {};
  if (::fstat(fd_.get(), &own) != 0) throw Error::io(errno, "cannot examine", options_.path);
  if (::fchown(fd_.get(), other.st_uid, other.st_gid) != 0) {
    // Not allowed; unknown in this user namespace; none on this file system; the owner's quota is used up.
    for (int harmless : {EPERM, EINVAL, EOPNOTSUPP, ENOSYS, EDQUOT}) {
      if (errno == harmless) return;
    }
    throw Error::io(errno, "cannot set the owner of", options_.path);
  }
  // Without CAP_FOWNER a file of somebody else can be given away, but neither a name (fs.protected_hardlinks) nor a
  // mode.
  if (::fchmod(fd_.get(), own.st_mode & 07777) != 0 && ::fchown(fd_.get(), own.st_uid, own.st_gid) != 0) {
    throw Error::io(errno, "cannot keep the owner of", options_.path);
  }
}

bool AtomicFile::replaces(const struct stat& other) const {
  struct stat target {};
  return ::fstatat(directory_.get(), name_.base.c_str(), &target, AT_SYMLINK_NOFOLLOW) == 0 && same_file(target, other);
}

void AtomicFile::rename_over() {
  const int dir = directory_.get();
  if (::renameat(dir, temporary_name_.c_str(), dir, name_.base.c_str()) != 0) {
    throw Error::io(errno, "cannot rename the finished file to", options_.path);
  }
}

void AtomicFile::appear() {
  if (options_.replace) {
    take_temporary_name();
    rename_over();
  } else {
    const bool named = unnamed() ? link_unnamed(fd_.get(), directory_.get(), name_.base)
                                 : rename_without_replacing(directory_.get(), temporary_name_, name_.base);
    if (!named && errno == EEXIST) throw_appeared(options_.path);
    if (!named) throw Error::io(errno, "cannot give the finished file its name", options_.path);
  }
  published_ = true;
  temporary_name_.clear();
}

void AtomicFile::sync() {
  if (options_.sync && ::fsync(fd_.get()) != 0) throw Error::io(errno, "cannot sync", options_.path);
}

void AtomicFile::sync_directory() {
  if (options_.sync) callseal::sync_directory(directory_, name_.directory);
}

void AtomicFile::publish() {
  appear();
  sync_directory();
}

void AtomicFile::commit() {
  sync();
  appear();
  if (!options_.sync || directory_synced(directory_)) return;
  const int failure = errno;
  if (!options_.replace) withdraw_file(directory_.get(), name_, fd_.get());
  throw Error::io(failure, "cannot sync the directory of", options_.path);
}

bool AtomicFile::exchange_names() const {
  const int dir = directory_.get();
  return ::renameat2(dir, temporary_name_.c_str(), dir, name_.base.c_str(), RENAME_EXCHANGE) == 0;
}

void AtomicFile::rename_over_unchanged(const InputFile& input) {
  input.require_unchanged();
  errno = 0;
  if (!replaces(input.status())) errno == ENOENT ? throw_removed(input) : throw_replaced(input);
  rename_over();
  published_ = true;
  temporary_name_.clear();
}

bool AtomicFile::names_own(const std::string& name) const {
  struct stat own {
  }, named{};
  return ::fstat(fd_.get(), &own) == 0 && ::fstatat(directory_.get(), name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 &&
         same_file(named, own);
}

void AtomicFile::require_displaced(const InputFile& input) const {
  struct stat displaced {};
  if (::fstatat(directory_.get(), temporary_name_.c_str(), &displaced, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return;  // to be removed, and somebody has
    throw Error::io(errno, "cannot examine", input.path());
  }
  if (!same_file(displaced, input.status())) throw_replaced(input);
}

std::string AtomicFile::put_back() {
  const bool exchanged = exchange_names();
  const bool gone = !exchanged && errno == ENOENT;  // the new file, or what it displaced
  if (exchanged && names_own(temporary_name_)) return {};
  // It may be of somebody who has replaced the new file meanwhile.
  const std::string theirs = std::exchange(temporary_name_, {});
  bool back = exchanged;
  try {
    if (exchanged || gone) back = give_back(directory_.get(), theirs, name_) || back;
  } catch (const Error&) {
    // It stays hidden: clean_directory() tries again, and tells.
  }
  if (back) return {};
  published_ = true;
  const bool left = ::faccessat(directory_.get(), theirs.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
  return options_.path + " is complete and in place" +
         (left ? ", and what it replaced is " + name_.directory + "/" + theirs : ", and what it replaced is gone");
}

void AtomicFile::remove_displaced() {
  const std::string displaced = std::exchange(temporary_name_, {});
  if (::unlinkat(directory_.get(), displaced.c_str(), 0) == 0 || errno == ENOENT) return;
  const int failure = errno;
  const std::string left = name_.directory + "/" + displaced;
  throw Error::io(
      failure, options_.path + " is complete and in place, but what it replaced is to be deleted: cannot remove", left);
}

void AtomicFile::publish_over(const InputFile& input) {
  take_temporary_name();
  lock_file(input.descriptor());  // it is about to have the temporary name
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
  try {
    require_displaced(input);
    if (!directory_synced(directory_)) throw Error::io(errno, "cannot sync the directory of", options_.path);
    input.require_unchanged();
  } catch (const Error& error) {
    const std::string stayed = put_back();
    if (stayed.empty()) throw;
    throw error.adding(stayed);
  } catch (...) {  // no memory
    put_back();
    throw;
  }
  published_ = true;
  remove_displaced();
}

}  // namespace callseal
