// Files read and written safely: every short read, short write and interruption handled, outputs complete or absent.
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

// A regular file being read, which notices when it is changed meanwhile.
class InputFile {
 public:
  // kIo; kInvalidArgument for anything but a regular file.
  explicit InputFile(const std::string& path);

  uint64_t size() const { return static_cast<uint64_t>(status_.st_size); }
  const struct stat& status() const { return status_; }
  void seek(uint64_t offset);
  // Exactly `length` bytes. kInputChanged when the file ends before them.
  void read(uint8_t* out, size_t length);
  // kInputChanged when size, modification time or identity differ from those at opening.
  void require_unchanged() const;

 private:
  std::string path_;
  Descriptor fd_;
  struct stat status_ {};
};

struct OutputOptions {
  std::string path;      // final name
  bool replace = false;  // replace an existing regular file
  bool sync = true;      // fsync the file before and its directory after the rename
};

// A file that appears under its final name complete or not at all. Written under a temporary name in the same directory
// with mode 0600; removed by the destructor unless committed.
class AtomicFile {
 public:
  // kOutputExists when the final name exists (or is not a regular file); kIo.
  explicit AtomicFile(const OutputOptions& options);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(ByteView bytes);
  // Gives the new file the owner of another, where the process may. For files that replace one in place.
  void take_owner(const struct stat& other);
  // True when the final name is the very file `other`: an encryption in place.
  bool replaces(const struct stat& other) const;
  // Syncs, renames, syncs the directory. kOutputExists when the name was taken meanwhile; kIo.
  void commit();

 private:
  void check_target() const;
  void create_temporary();
  void rename_over();

  OutputOptions options_;
  std::string directory_name_;
  std::string base_name_;
  std::string temporary_name_;
  Descriptor directory_;
  Descriptor fd_;
};

}  // namespace callseal
