// The fortified openat is an inline function, which cannot be replaced.
#undef _FORTIFY_SOURCE
#include "system_calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>

namespace callseal::test {
namespace {

SystemCalls* active = nullptr;
std::mutex mutex;
thread_local bool inside = false;  // what `before` itself calls is passed on

// 0, or the errno the call is to fail with.
int announce(const char* name) {
  if (active == nullptr || inside) return 0;
  std::lock_guard<std::mutex> lock(mutex);
  inside = true;
  active->seen.push_back(name);
  int failure = active->before ? active->before(name) : 0;
  inside = false;
  return failure;
}

void announce_exchange() {
  if (active == nullptr || inside || !active->after_exchange) return;
  inside = true;
  active->after_exchange();
  inside = false;
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

SystemCalls::SystemCalls() {
  active = this;
}
SystemCalls::~SystemCalls() {
  active = nullptr;
}

size_t SystemCalls::count(const std::string& name) const {
  return static_cast<size_t>(std::count(seen.begin(), seen.end(), name));
}

}  // namespace callseal::test

using callseal::test::active;
using callseal::test::announce;
using callseal::test::announce_exchange;
using callseal::test::next;

#define FAIL_IF_ANNOUNCED(name)       \
  if (int failure = announce(name)) { \
    errno = failure;                  \
    return -1;                        \
  }

extern "C" {
#define EXPORTED __attribute__((visibility("default")))

EXPORTED int openat(int directory, const char* path, int flags, ...) {
  if (active != nullptr && !active->unnamed_files && (flags & O_TMPFILE) == O_TMPFILE) {
    errno = EOPNOTSUPP;
    return -1;
  }
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  static auto* real = next<int(int, const char*, int, mode_t)>("openat64");
  return real(directory, path, flags, mode);
}

// Only calls with an argument of the size of a pointer, or none, are made here.
EXPORTED int fcntl(int fd, int command, ...) {
  if (active != nullptr && active->lease_failure != 0 && command == F_SETLEASE) {
    errno = active->lease_failure;
    return -1;
  }
  va_list arguments;
  va_start(arguments, command);
  void* argument = va_arg(arguments, void*);
  va_end(arguments);
  static auto* real = next<int(int, int, void*)>("fcntl64");
  return real(fd, command, argument);
}

EXPORTED int unlinkat(int directory, const char* path, int flags) noexcept {
  FAIL_IF_ANNOUNCED("unlinkat");
  static auto* real = next<int(int, const char*, int)>("unlinkat");
  return real(directory, path, flags);
}

EXPORTED int fallocate(int fd, int mode, off_t offset, off_t length) {
  FAIL_IF_ANNOUNCED("fallocate");
  static auto* real = next<int(int, int, off_t, off_t)>("fallocate64");
  return real(fd, mode, offset, length);
}

EXPORTED ssize_t pwrite(int fd, const void* bytes, size_t length, off_t offset) {
  FAIL_IF_ANNOUNCED("pwrite");
  static auto* real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite64");
  return real(fd, bytes, active == nullptr ? length : std::min(length, active->longest_write), offset);
}

EXPORTED int fsync(int fd) {
  FAIL_IF_ANNOUNCED("fsync");
  static auto* real = next<int(int)>("fsync");
  return real(fd);
}

EXPORTED int fchown(int fd, uid_t user, gid_t group) noexcept {
  FAIL_IF_ANNOUNCED("fchown");
  static auto* real = next<int(int, uid_t, gid_t)>("fchown");
  return real(fd, user, group);
}

EXPORTED int renameat(int from_dir, const char* from, int to_dir, const char* to) noexcept {
  FAIL_IF_ANNOUNCED("renameat");
  static auto* real = next<int(int, const char*, int, const char*)>("renameat");
  return real(from_dir, from, to_dir, to);
}

EXPORTED int renameat2(int from_dir, const char* from, int to_dir, const char* to, unsigned int flags) noexcept {
  FAIL_IF_ANNOUNCED("renameat2");
  static auto* real = next<int(int, const char*, int, const char*, unsigned int)>("renameat2");
  const int result = real(from_dir, from, to_dir, to, flags);
  if (result == 0) announce_exchange();
  return result;
}

EXPORTED int linkat(int from_dir, const char* from, int to_dir, const char* to, int flags) noexcept {
  FAIL_IF_ANNOUNCED("linkat");
  static auto* real = next<int(int, const char*, int, const char*, int)>("linkat");
  return real(from_dir, from, to_dir, to, flags);
}
}
