#include "displaced_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "error.h"
#include "file.h"
#include "file_lock.h"

namespace callseal {
namespace {

// More files of one name than this are not told apart.
constexpr unsigned kMostNumbers = 100'000;

std::string path_of(const FileName& name) {
  return name.directory == "." ? name.base : name.directory + "/" + name.base;
}

}  // namespace

bool give_back(int directory, const std::string& from, const FileName& name) {
  for (unsigned number = 0; number < kMostNumbers; ++number) {
    const std::string to = number == 0 ? name.base : numbered_name(name.base, number);
    if (rename_without_replacing(directory, from, to)) return true;
    if (errno == ENOENT) return false;
    if (errno != EEXIST) throw Error::io(errno, "cannot give back the name of", path_of(name));
  }
  throw Error::io(EEXIST, "cannot give back the name of", path_of(name));
}

DisplacedFile::DisplacedFile(int directory, const FileName& name)
    : directory_(directory), name_(name), hidden_(hidden_name(name.base, HiddenKind::kDisplaced)) {
  if (::renameat(directory_, name_.base.c_str(), directory_, hidden_.c_str()) == 0) return;
  if (errno == ENOENT)
    throw Error::about(Code::kInputChanged, path_of(name_), "was removed or renamed by another process");
  throw Error::io(errno, "cannot remove", path_of(name_));
}

DisplacedFile::~DisplacedFile() {
  if (hidden_.empty()) return;
  try {
    give_back(directory_, hidden_, name_);
  } catch (const Error&) {
    // It stays hidden: clean_directory() tries again, and tells.
  }
}

bool DisplacedFile::is(const struct stat& other) const {
  struct stat found {};
  return ::fstatat(directory_, hidden_.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && same_file(found, other);
}

void DisplacedFile::remove() {
  if (::unlinkat(directory_, hidden_.c_str(), 0) != 0) throw Error::io(errno, "cannot remove", path_of(name_));
  hidden_.clear();
}

void withdraw_file(int directory, const FileName& name, int fd) {
  struct stat own {};
  if (::fstat(fd, &own) != 0) return;
  lock_file(fd);
  try {
    DisplacedFile displaced(directory, name);
    if (displaced.is(own)) displaced.remove();
  } catch (const Error&) {
    // It stays.
  }
}

}  // namespace callseal
