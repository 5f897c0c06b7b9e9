#include "seal_job.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <optional>

#include "displaced_file.h"
#include "error.h"

namespace callseal {
namespace {

constexpr mode_t kFinishedMode = 0600;
constexpr mode_t kMark = S_ISVTX;

// What file systems keep of a time, in nanoseconds.
constexpr int64_t kResolutions[] = {1, 100, 1'000, 10'000'000, 1'000'000'000, 2'000'000'000};

// Whether `kept` is what a file system makes of `time`.
bool is_kept_time(const timespec& kept, const timespec& time) {
  const int64_t seconds = int64_t{time.tv_sec} - kept.tv_sec;
  if (seconds < 0 || seconds > 2) return false;
  for (int64_t resolution : kResolutions) {
    const int64_t lost = resolution > 1'000'000'000
                             ? (time.tv_sec % (resolution / 1'000'000'000)) * 1'000'000'000 + time.tv_nsec
                             : time.tv_nsec % resolution;
    if (seconds * 1'000'000'000 + time.tv_nsec - kept.tv_nsec == lost) return true;
  }
  return false;
}

// The encrypted file under its name.
class SealedOutput {
 public:
  SealedOutput(const Descriptor& directory, const FileName& name, int fd)
      : directory_(directory), name_(name), fd_(fd) {}

  void sync_directory() const { callseal::sync_directory(directory_, name_.directory); }
  // From now on it proves nothing about a plaintext of its name.
  void remove_mark() const { ::fchmod(fd_, kFinishedMode); }
  // Removes it, as far as that can be done; else it stays, with its mark.
  void withdraw() const { withdraw_file(directory_.get(), name_, fd_); }

 private:
  const Descriptor& directory_;
  const FileName& name_;
  int fd_;
};

// The name is taken away first, so that nobody can open the file any more, and nobody put another in its place, between
// looking and removing. Syncing the output's directory comes after it: time for whoever is opening the file to be seen.
void displace_and_remove(const SealSource& source, const SealedOutput& output) {
  DisplacedFile displaced(source.directory().get(), source.name());
  output.sync_directory();
  if (!displaced.is(source.file().status())) {
    throw Error::about(Code::kInputChanged, source.file().path(),
                       "was replaced by another file while it was encrypted");
  }
  source.require_finished();
  source.require_no_other_name();
  displaced.remove();
}

void remove_plaintext(const SealSource& source, const SealedOutput& output) {
  try {
    displace_and_remove(source, output);
  } catch (const Error& error) {
    if (source.exists()) {
      output.withdraw();
      throw;
    }
    // Somebody else has removed it: the output is all that is left of it.
    output.sync_directory();
    output.remove_mark();
    throw Error::about(error.code(), source.file().path(), "was removed by another process after it was encrypted");
  }
  sync_directory(source.directory(), source.name().directory);
  output.remove_mark();
}

// Everything that is to be on the disk with the output's content.
void set_attributes(const SealSource& source, const AtomicFile& output) {
  const struct stat& status = source.file().status();
  const timespec times[2] = {{0, UTIME_NOW}, status.st_mtim};
  if (::futimens(output.descriptor(), times) != 0) throw Error::io(errno, "cannot set the time of", output.path());
  // Where there is no such bit, an attempt that is cut short is not recognised, and the output gets another name.
  ::fchmod(output.descriptor(), kFinishedMode | kMark);
}

// Ends early when somebody opens the file for writing: who waits for it may be recording a call.
FileJobResult encrypt_while_unopened(const SealSource& source, AtomicFile& output, ByteView header,
                                     const FloeMessage& message, JobControl& control, const SignedFile* signature) {
  struct Guarded {
    ~Guarded() { control.set_guard(nullptr); }
    JobControl& control;
  } guarded{control};
  control.set_guard([&source]() { source.require_unopened(); });
  const FileJobResult lengths = encrypt_content(source.file(), output, header, message, control, signature);
  control.check();
  return lengths;
}

[[noreturn]] void throw_unrelated(const std::string& path) {
  throw Error::about(Code::kOutputExists, path,
                     "exists already, and is not known to be of this file; choose another output");
}

}  // namespace

SealResult seal_file(const SealSource& source, AtomicFile& output, ByteView header, const FloeMessage& message,
                     JobControl& control, const SignedFile* signature) {
  if (output.in_place()) throw Error::about(Code::kInvalidArgument, output.path(), "is both the input and the output");
  const FileJobResult lengths = encrypt_while_unopened(source, output, header, message, control, signature);
  set_attributes(source, output);
  if (::geteuid() == 0) output.take_owner(source.file().status());
  output.sync();
  source.require_untouched();
  control.check();
  output.appear();
  remove_plaintext(source, SealedOutput(output.directory(), output.name(), output.descriptor()));
  return {lengths, source.leased()};
}

SealResult finish_sealing(const SealRequest& request, const FileJobResult& found) {
  const SealSource source(request);
  const FileName name = split_name(request.output);
  const Descriptor directory = open_directory_below(request.output_root, name.directory);
  const InputFile output(directory, name.base, request.output, Links::kRefused);
  if ((output.status().st_mode & kMark) == 0 || output.size() != found.output_bytes ||
      source.file().size() != found.input_bytes ||
      !is_kept_time(output.status().st_mtim, source.file().status().st_mtim)) {
    throw_unrelated(request.output);
  }
  if (::fsync(output.descriptor()) != 0) throw Error::io(errno, "cannot sync", request.output);
  remove_plaintext(source, SealedOutput(directory, name, output.descriptor()));
  return {found, source.leased()};
}

}  // namespace callseal
