#include "rewrap.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <algorithm>

#include "block.h"
#include "crew.h"
#include "error.h"
#include "floe_body.h"

namespace callseal {
namespace {

constexpr size_t kCopyLength = size_t{1} << 20;
// Bytes of whole segments that are decrypted and encrypted between two system calls.
constexpr size_t kStepLength = size_t{1} << 20;
// Below it, helpers come too late to be of use.
constexpr uint64_t kWorthHelp = uint64_t{8} << 20;
constexpr unsigned kMostMembers = 8;

// Once the file has its name: a process that is killed before leaves mode 0600 and the time of the change, which harms
// nothing. What this user may not set stays as it is.
void keep_mode_and_time(const InputFile& input, const AtomicFile& output) {
  const struct stat& before = input.status();
  const timespec times[2] = {{0, UTIME_OMIT}, before.st_mtim};
  const int time_failure = ::futimens(output.descriptor(), times) == 0 ? 0 : errno;
  if (::fchmod(output.descriptor(), before.st_mode & 0777) != 0 && errno != EPERM) {
    throw Error::io(errno, "the file is complete and in place, but cannot set the mode of", input.path());
  }
  if (time_failure != 0 && time_failure != EPERM && time_failure != EACCES) {
    throw Error::io(time_failure, "the file is complete and in place, but cannot set the time of", input.path());
  }
}

void publish_in_place(const InputFile& input, AtomicFile& output, const JobControl& control) {
  output.take_owner(input.status());
  output.sync();
  control.check();
  try {
    output.publish_over(input);
  } catch (const Error& error) {
    if (!output.published()) throw;
    try {
      keep_mode_and_time(input, output);
    } catch (const Error& also) {
      throw error.adding(also.what());
    }
    throw;
  }
  keep_mode_and_time(input, output);
}

// Syncing takes long, so whether the input is still what was read is looked at after it.
void publish(const InputFile& input, AtomicFile& output, const JobControl& control) {
  if (output.in_place()) return publish_in_place(input, output, control);
  output.sync();
  input.require_unchanged();
  control.check();
  output.publish();
}

}  // namespace

Bytes rewrap_header(const PrivateKey& key, const SealedEnvelope& sealed, const EnvelopeTemplate& form) {
  form.validate_holes();
  return make_header(form, sealed.prelude, open_content_key(key, sealed));
}

FileJobResult replace_header(const InputFile& input, ByteView header, uint64_t rest, JobControl& control) {
  if (rest > input.size()) throw Error(Code::kInvalidArgument, "the header would end behind the file");
  AtomicFile output({input.path(), true, true}, &input);
  if (!output.in_place()) {
    throw Error::about(Code::kInputChanged, input.path(), "was replaced by another file while it was read");
  }
  const uint64_t length = header.size() + (input.size() - rest);
  control.begin(input.size());
  if (length > kCopyLength) output.reserve(length);
  // One write for the header and what follows it, which is all of most files.
  Block block(header.size() + static_cast<size_t>(std::min<uint64_t>(input.size() - rest, kCopyLength)));
  std::copy(header.begin(), header.end(), block.data());
  size_t held = header.size();
  uint64_t written = 0;
  control.advance(rest);
  for (uint64_t at = rest; at < input.size() || held > 0;) {
    control.check();
    const size_t part = static_cast<size_t>(std::min<uint64_t>(input.size() - at, block.size() - held));
    input.read_exactly(at, block.data() + held, part);
    output.write(written, block.first(held + part));
    written += held + part;
    at += part;
    held = 0;
    control.advance(part);
  }
  publish_in_place(input, output, control);
  return {input.size(), length};
}

namespace {

// What was decrypted and waits to be encrypted, and where the next encrypted bytes go.
class Reencryptor {
 public:
  Reencryptor(const StartedFile& file, AtomicFile& output, size_t step, FloeEffort effort)
      : body_(file.message, file.signature.has_value()),
        signature_(file.signature_or_null()),
        output_(output),
        effort_(effort),
        plaintext_(file.message.plaintext_length() + step),
        encrypted_(static_cast<size_t>(file.message.encrypted_length(plaintext_.size()))) {
    write(file.header);
    write(file.message.header_view());
  }

  // Where the next plaintext goes; there is room for a step.
  uint8_t* free() { return plaintext_.data() + held_; }
  uint64_t written() const { return written_; }

  // Encrypts what makes whole segments, or, when `last`, all there is. A segment is kept back as long as it may turn
  // out to be the last.
  void take(size_t added, bool last) {
    held_ += added;
    const size_t step = body_.message().plaintext_length();
    const size_t whole = last ? held_ : held_ == 0 ? 0 : (held_ - 1) / step * step;
    if (whole == 0 && !last) return;
    const size_t length = body_.encrypt(plaintext_.first(whole), last, encrypted_.data(), encrypted_.size(), effort_);
    write(encrypted_.first(length));
    held_ -= whole;
    memmove(plaintext_.data(), plaintext_.data() + whole, held_);
  }

  // After the last segment.
  void sign() {
    if (signature_ != nullptr) write(signature_->closing_block(body_.digest().summary()));
  }

 private:
  void write(ByteView bytes) {
    output_.write(written_, bytes);
    written_ += bytes.size();
  }

  FloeBody body_;
  const SignedFile* signature_;  // null for files without one
  AtomicFile& output_;
  const FloeEffort effort_;
  SecretBlock plaintext_;
  Block encrypted_;
  size_t held_ = 0;
  uint64_t written_ = 0;
};

[[noreturn]] void throw_truncated() {
  throw Error(Code::kTruncated, "the file ends before its last segment; its writer did not finish it, or it was cut");
}

FloeMessage read_message(const InputFile& input, const FileBody& body, const SecretKey& key, ByteView aad) {
  if (body.end > input.size() || body.begin > body.end || body.end - body.begin < kFloeHeaderLength) throw_truncated();
  uint8_t header[kFloeHeaderLength];
  input.read_exactly(body.begin, header, sizeof header);
  return FloeMessage::open(key, aad, header);
}

// Decrypts a piece that was read at `at`; returns how much of it. All of it, unless the body breaks a rule.
size_t decrypt_piece(FloeBody& from, ByteView piece, uint8_t* out, size_t capacity, const FloeEffort& effort) {
  size_t used = 0;
  size_t made = 0;
  while (used < piece.size() && !from.finished()) {
    const size_t read = from.decrypt(piece.subview(used, piece.size() - used), out + made, capacity - made, effort);
    if (read == 0) throw_truncated();
    const size_t length = from.message().segment_length();
    made += read - (read + length - 1) / length * kFloeSegmentOverhead;
    used += read;
  }
  if (used < piece.size()) throw Error(Code::kTampered, "bytes follow the last segment");
  return made;
}

void verify_closing(const InputFile& input, const FileBody& body, const FloeBody& from) {
  if (body.signature == nullptr) return;
  Bytes block(body.signature->closing_length());
  if (input.size() - body.end < block.size()) throw_truncated();
  input.read_exactly(body.end, block.data(), block.size());
  body.signature->verify_closing(block, from.digest().summary());
}

}  // namespace

FileJobResult rekey_file(const InputFile& input, const FileBody& body, const SecretKey& body_key, ByteView aad,
                         AtomicFile& output, const StartedFile& file, JobControl& control) {
  control.begin(input.size());
  const FloeMessage old = read_message(input, body, body_key, aad);
  const uint64_t size = body.end - body.begin;
  const FloeEffort effort{size < kWorthHelp ? 1 : std::min(kMostMembers, Crew::cores())};
  const size_t segment = old.segment_length();
  const size_t step = static_cast<size_t>(
      std::min<uint64_t>(std::max<size_t>(1, kStepLength / segment) * segment, std::max<uint64_t>(size, segment)));
  FloeBody from(old, body.signature != nullptr);
  Block encrypted(step);
  Reencryptor to(file, output, step, effort);
  uint64_t at = body.begin + kFloeHeaderLength;
  control.advance(at);
  while (!from.finished()) {
    control.check();
    const size_t length = static_cast<size_t>(std::min<uint64_t>(body.end - at, step));
    if (length == 0) throw_truncated();
    input.read_exactly(at, encrypted.data(), length);
    const size_t made = decrypt_piece(from, encrypted.first(length), to.free(), step, effort);
    at += length;
    if (from.finished() && at < body.end) throw Error(Code::kTampered, "bytes follow the last segment");
    to.take(made, from.finished());
    control.advance(length);
  }
  verify_closing(input, body, from);
  to.sign();
  control.advance(input.size() - body.end);
  publish(input, output, control);
  return {input.size(), to.written()};
}

}  // namespace callseal
