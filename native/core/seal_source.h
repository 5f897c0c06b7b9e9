// A plaintext file that is finished, and may be replaced by its encryption.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "file.h"
#include "hidden_name.h"
#include "lease.h"

namespace callseal {

// What is known of a file's content without reading it. Times in nanoseconds since the epoch.
struct FileStamp {
  uint64_t inode;
  uint64_t size;
  int64_t mtime;
  int64_t ctime;
};

struct SealRequest {
  std::string input;
  std::string output;
  // The directories that the operator named, if what is below them may be in the hands of others: links below them lead
  // nowhere (open_directory_below()).
  std::string input_root;
  std::string output_root;
  bool require_lease = false;
  int64_t quiet_for = 0;              // nanoseconds since the last change that are enough where there is no lease
  std::optional<FileStamp> observed;  // as which the file has been seen for so long: its times then do not matter
};

// The file, open; locked, so that no other process seals it; and leased where that can be had. Until this is gone,
// whoever opens the file for writing waits (Lease).
class SealSource {
 public:
  // kInputBusy: open for writing, not quiet, or locked. kInvalidArgument: not a regular file, or one with another name.
  // kIo.
  explicit SealSource(const SealRequest& request);

  const InputFile& file() const { return file_; }
  const FileName& name() const { return name_; }
  const Descriptor& directory() const { return directory_; }
  bool leased() const { return lease_->taken(); }
  // The file has neither been changed in any way, nor opened for writing: kInputChanged, kInputBusy.
  void require_untouched() const;
  // The same once its name was changed: a change of its attributes is not seen any more.
  void require_finished() const;
  // Nobody has opened it for writing, as far as a lease can tell: kInputBusy.
  void require_unopened() const;
  // No second name keeps the content: kInputChanged.
  void require_no_other_name() const;
  // Some name leads to it still.
  bool exists() const;

 private:
  void require_quiet(const SealRequest& request) const;

  FileName name_;
  Descriptor directory_;
  InputFile file_;
  std::unique_ptr<Lease> lease_;
};

}  // namespace callseal
