// Files written safely: every short write and interruption handled, outputs complete or absent.
#pragma once

#include <sys/stat.h>

#include <string>

#include "bytes.h"
#include "file.h"
#include "hidden_name.h"

namespace callseal {

struct OutputOptions {
  std::string path;       // final name
  bool replace = false;   // replace an existing regular file
  bool sync = true;       // fsync the file before and its directory after it gets its name
  std::string root = {};  // see open_directory_below()
};

// A file that appears under its final name complete or not at all, mode 0600. Until then it has no name (O_TMPFILE), so
// that the kernel removes it with its writer. Where the file system has no such files, and for the moment in which it
// replaces another, it has a temporary name in the same directory; then it is locked, so that clean_directory() can
// tell a dead writer's file from a living one's. Removed by the destructor unless published.
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
  // Gives the new file the owner of another, where the process may, and may name and change it afterwards.
  void take_owner(const struct stat& other);
  // True when the final name is the very file `other`.
  bool replaces(const struct stat& other) const;
  // Puts the content on the disk, unless that was not asked for; in place it always is. Slow: check afterwards whatever
  // must hold when the name appears.
  void sync();
  // Gives the file its name. kOutputExists when the name was taken meanwhile; kIo.
  void appear();
  // The same, and syncs the directory.
  void publish();
  // The same in place: exchanges the names, and removes the input only if it is what was displaced, unchanged.
  // Otherwise, and when the directory cannot be synced, exchanges back: kInputChanged, kIo. Where that fails, or the
  // input cannot be removed any more, the message tells what is where.
  void publish_over(const InputFile& input);
  // Whether the file has its name; true also after an error that came later.
  bool published() const { return published_; }
  // All of it, for files that mean nothing to whoever is told of a failure, such as keys: when the directory cannot be
  // synced, a name that was new is taken away again. kOutputExists, kIo.
  void commit();

  const std::string& path() const { return options_.path; }
  const FileName& name() const { return name_; }
  const Descriptor& directory() const { return directory_; }
  int descriptor() const { return fd_.get(); }

 private:
  bool create_unnamed();
  void create_temporary();
  void take_temporary_name();
  void rename_over();
  void rename_over_unchanged(const InputFile& input);
  bool exchange_names() const;
  // Whether a name in the directory leads to this file.
  bool names_own(const std::string& name) const;
  // That what has the temporary name is the input, or nothing. kInputChanged, kIo.
  void require_displaced(const InputFile& input) const;
  // Undoes the exchange of names. What it left, where it could not; never removes what is not ours.
  std::string put_back();
  void remove_displaced();
  void sync_directory();
  bool unnamed() const { return !published_ && temporary_name_.empty(); }

  OutputOptions options_;
  FileName name_;
  bool in_place_;
  bool published_ = false;
  std::string temporary_name_;
  Descriptor directory_;
  Descriptor fd_;
};

}  // namespace callseal
