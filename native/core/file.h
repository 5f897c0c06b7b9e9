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

  const std::string& path() const { return path_; }
  uint64_t size() const { return static_cast<uint64_t>(status_.st_size); }
  const struct stat& status() const { return status_; }
  // Up to `length` bytes at `offset`, fewer at the end of the file. Any number of threads may read at once.
  size_t read_at(uint64_t offset, uint8_t* out, size_t length) const;
  // Exactly `length` bytes. kInputChanged when the file ends before them.
  void read_exactly(uint64_t offset, uint8_t* out, size_t length) const;
  // kInputChanged when the open file's size or modification time differ from those at opening.
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

// A path taken apart: the directory, and a name in it.
struct FileName {
  std::string directory;
  std::string base;
};

// A file that appears under its final name complete or not at all. Written under a temporary name in the same directory
// with mode 0600; removed by the destructor unless committed.
class AtomicFile {
 public:
  // `input` is what the content is made from, if it is a file. kOutputExists and kInvalidArgument as check() has it;
  // kIo.
  explicit AtomicFile(const OutputOptions& options, const InputFile* input = nullptr);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  // Whether the output may be written, without writing anything. An existing name is kOutputExists unless it may be
  // replaced, and always when it is not a regular file. A name that is the input itself may be replaced, unless it has
  // another name (symbolic or hard link), which would keep the old content: kInvalidArgument.
  static void check(const OutputOptions& options, const InputFile* input);

  // Has the file system set space aside for a file of that length, which makes writing it cheaper and running out of
  // space known early: kIo. Does nothing where the file system cannot.
  void reserve(uint64_t length);
  // Writes at that place. Any number of threads may write at once.
  void write(uint64_t offset, ByteView bytes);
  // Cuts what was written, and gives back the space that was set aside behind it.
  void truncate(uint64_t length);
  // True when the final name was the input itself at the beginning: a job in place.
  bool in_place() const { return in_place_; }
  // Gives the new file the owner of another, where the process may. For files that replace one in place.
  void take_owner(const struct stat& other);
  // True when the final name is the very file `other`.
  bool replaces(const struct stat& other) const;
  // Puts the content on the disk, unless that was not asked for; in place it always is. Slow: check afterwards whatever
  // must hold when the name appears.
  void sync();
  // Renames, and syncs the directory. kOutputExists when the name was taken meanwhile; kIo.
  void publish();
  // The same in place: exchanges the names, and removes the input only if it is what was displaced, unchanged.
  // Otherwise exchanges back: kInputChanged.
  void publish_over(const InputFile& input);
  void commit() {
    sync();
    publish();
  }

 private:
  void create_temporary();
  void rename_over();
  void rename_over_unchanged(const InputFile& input);
  bool exchange_names() const;
  void sync_directory();

  OutputOptions options_;
  FileName name_;
  bool in_place_;
  std::string temporary_name_;
  Descriptor directory_;
  Descriptor fd_;
};

}  // namespace callseal
