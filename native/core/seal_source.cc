#include "seal_source.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "error.h"
#include "file_lock.h"

namespace callseal {
namespace {

// Anybody can give a file a time of which the nanoseconds have more than 64 bits; those of the future count as now.
__extension__ typedef __int128 Nanoseconds;

Nanoseconds nanoseconds(const timespec& time) {
  return Nanoseconds{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

bool is_still(const struct stat& status, const FileStamp& stamp) {
  return status.st_ino == stamp.inode && static_cast<uint64_t>(status.st_size) == stamp.size &&
         nanoseconds(status.st_mtim) == stamp.mtime && nanoseconds(status.st_ctim) == stamp.ctime;
}

}  // namespace

SealSource::SealSource(const SealRequest& request)
    : name_(split_name(request.input)),
      directory_(open_directory_below(request.input_root, name_.directory)),
      file_(directory_, name_.base, request.input, Links::kRefused) {
  require_single_name(file_);
  if (lock_file(file_.descriptor()) == LockOutcome::kTaken) {
    throw Error::about(Code::kInputBusy, request.input, "is locked by another process, which writes or seals it");
  }
  lease_ = std::make_unique<Lease>(file_.descriptor(), request.input);
  if (!lease_->taken()) {
    if (request.require_lease) throw Error::io(lease_->refusal(), "cannot take a lease on", request.input);
    require_quiet(request);
  }
  require_untouched();  // between opening and leasing, too
}

void SealSource::require_quiet(const SealRequest& request) const {
  if (request.observed.has_value() && is_still(file_.status(), *request.observed)) return;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  if (nanoseconds(now) - nanoseconds(file_.status().st_mtim) >= request.quiet_for) return;
  throw Error::about(Code::kInputBusy, file_.path(), "was written to a short while ago; it may not be finished");
}

void SealSource::require_untouched() const {
  require_finished();
  struct stat now {};
  if (::fstat(file_.descriptor(), &now) != 0) throw Error::io(errno, "cannot examine", file_.path());
  if (!same_time(now.st_ctim, file_.status().st_ctim)) {
    throw Error::about(Code::kInputChanged, file_.path(), "was changed while it was encrypted");
  }
}

void SealSource::require_finished() const {
  file_.require_unchanged();
  require_unopened();
}

void SealSource::require_unopened() const {
  if (leased() && !lease_->held()) {
    throw Error::about(Code::kInputBusy, file_.path(), "was opened for writing while it was encrypted");
  }
}

void SealSource::require_no_other_name() const {
  struct stat now {};
  if (::fstat(file_.descriptor(), &now) == 0 && now.st_nlink > 1) {
    throw Error::about(Code::kInputChanged, file_.path(), "was given another name while it was encrypted");
  }
}

bool SealSource::exists() const {
  struct stat now {};
  return ::fstat(file_.descriptor(), &now) != 0 || now.st_nlink > 0;
}

}  // namespace callseal
