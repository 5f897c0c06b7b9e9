// Files read safely: every short read and interruption handled, changes noticed. And what else is needed around files.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <string>

#include "bytes.h"

namespace callseal {

// An open descriptor, closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const { return fd_; }

 private:
  int fd_;
};

enum class Links { kFollowed, kRefused };

// A regular file being read, which notices when it is changed meanwhile.
class InputFile {
 public:
  // kIo; kInvalidArgument for anything but a regular file, and for a symbolic link unless it may be followed.
  explicit InputFile(const std::string& path, Links links = Links::kFollowed);
  // The same of a name in an open directory. `path` is what errors call it.
  InputFile(const Descriptor& directory, const std::string& name, const std::string& path, Links links);

  const std::string& path() const { return path_; }
  uint64_t size() const { return static_cast<uint64_t>(status_.st_size); }
  // As it was when it was opened.
  const struct stat& status() const { return status_; }
  int descriptor() const { return fd_.get(); }
  // Up to `length` bytes at `offset`, fewer at the end of the file. Any number of threads may read at once.
  size_t read_at(uint64_t offset, uint8_t* out, size_t length) const;
  // Exactly `length` bytes. kInputChanged when the file ends before them.
  void read_exactly(uint64_t offset, uint8_t* out, size_t length) const;
  // kInputChanged when the open file's size or modification time differ from those at opening.
  void require_unchanged() const;

 private:
  InputFile(int directory, const std::string& name, const std::string& path, Links links);

  std::string path_;
  Descriptor fd_;
  struct stat status_ {};
};

bool same_file(const struct stat& a, const struct stat& b);
bool same_time(const timespec& a, const timespec& b);

// kInvalidArgument when the file was named by a symbolic link or has another name: that would keep the content.
void require_single_name(const InputFile& input);
[[noreturn]] void refuse_link(const std::string& path);

// Within a directory. False with errno set: EEXIST when the name `to` is taken.
bool rename_without_replacing(int directory, const std::string& from, const std::string& to);

// kIo.
Descriptor open_directory(const std::string& path);
// `path` is `root` or below it. Whoever may write below the root cannot lead elsewhere: what is below is opened step by
// step, and a symbolic link is refused (ENOTDIR). Without a root (""), links are followed. kInvalidArgument, kIo.
Descriptor open_directory_below(const std::string& root, const std::string& path);
void sync_directory(const Descriptor& directory, const std::string& path);
// The same, but false with errno set. Where directories cannot be synced at all, that is no failure.
bool directory_synced(const Descriptor& directory);

}  // namespace callseal
