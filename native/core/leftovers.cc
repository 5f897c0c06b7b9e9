#include "leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "displaced_file.h"
#include "error.h"
#include "file.h"
#include "file_lock.h"
#include "hidden_name.h"

namespace callseal {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

constexpr mode_t kTemporaryMode = 0600;

// A hidden file that nobody alive holds: open, locked, and what its name leads to.
class Leftover {
 public:
  // Nothing when it is somebody's, is not a regular file, or has gone.
  static std::optional<Leftover> find(int directory, const char* name) {
    // Reading does not disturb a lease. NFS locks only what is open for writing, and has no leases.
    for (int access : {O_RDONLY, O_RDWR}) {
      Descriptor fd(::openat(directory, name, access | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
      if (fd.get() < 0 && (errno == ENOENT || errno == ELOOP)) return std::nullopt;
      if (fd.get() < 0) throw Error::io(errno, "cannot open", name);
      struct stat opened {
      }, named{};
      if (::fstat(fd.get(), &opened) != 0 || !S_ISREG(opened.st_mode)) return std::nullopt;
      const LockOutcome outcome = lock_file(fd.get());
      if (outcome == LockOutcome::kUnavailable) continue;
      if (outcome == LockOutcome::kTaken) return std::nullopt;
      if (::fstatat(directory, name, &named, AT_SYMLINK_NOFOLLOW) != 0 || !same_file(opened, named))
        return std::nullopt;
      return Leftover(std::move(fd), opened);
    }
    return std::nullopt;
  }

  const struct stat& status() const { return status_; }
  mode_t mode() const { return status_.st_mode & 07777; }

 private:
  Leftover(Descriptor fd, const struct stat& status) : fd_(std::move(fd)), status_(status) {}
  Descriptor fd_;
  struct stat status_;
};

// Whether somebody holds another file that has the name. Who replaces a file in place holds the new one; until he has
// put back what nobody had told him of, and nobody holds, that is under the temporary name.
bool is_being_replaced(int directory, const std::string& name, const Leftover& leftover) {
  Descriptor fd(::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat named {};
  if (fd.get() < 0 || ::fstat(fd.get(), &named) != 0 || !S_ISREG(named.st_mode)) return false;
  return !same_file(named, leftover.status()) && lock_file(fd.get()) == LockOutcome::kTaken;
}

void clean_entry(const Descriptor& directory, const std::string& path, const char* entry, Cleaned* cleaned) {
  const std::optional<HiddenName> hidden = parse_hidden_name(entry);
  if (!hidden.has_value()) return;
  const std::optional<Leftover> leftover = Leftover::find(directory.get(), entry);
  if (!leftover.has_value()) return;
  const bool temporary = hidden->kind == HiddenKind::kTemporary;
  if (temporary && is_being_replaced(directory.get(), hidden->base, *leftover)) return;
  // A job in place that is killed leaves the old file under the temporary name: only what is written by us goes.
  if (temporary && (leftover->mode() & ~S_ISVTX) == kTemporaryMode) {
    if (::unlinkat(directory.get(), entry, 0) != 0) throw Error::io(errno, "cannot remove", path + "/" + entry);
    ++cleaned->removed;
  } else if (give_back(directory.get(), entry, {path, hidden->base})) {
    ++cleaned->restored;
  }
}

}  // namespace

Cleaned clean_directory(const std::string& path) {
  Descriptor directory = open_directory(path);
  std::unique_ptr<DIR, CloseDirectory> entries(::opendir(path.c_str()));
  if (entries == nullptr) throw Error::io(errno, "cannot read the directory", path);
  Cleaned cleaned;
  std::optional<Error> failure;
  errno = 0;
  while (const dirent* entry = ::readdir(entries.get())) {
    try {
      clean_entry(directory, path, entry->d_name, &cleaned);
    } catch (const Error& error) {
      if (!failure.has_value()) failure = error;
    }
    errno = 0;
  }
  if (errno != 0 && !failure.has_value()) failure = Error::io(errno, "cannot read the directory", path);
  if (cleaned.removed + cleaned.restored > 0) sync_directory(directory, path);
  if (failure.has_value()) throw *failure;
  return cleaned;
}

}  // namespace callseal
