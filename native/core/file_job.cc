#include "file_job.h"

#include <algorithm>

#include "error.h"

namespace callseal {
namespace {

// Bytes of whole segments handled between two system calls; what the page cache likes and the second-level cache holds.
constexpr size_t kBlock = size_t{1} << 20;

size_t segments_per_block(const FloeMessage& message) {
  return std::max<size_t>(1, kBlock / message.segment_length());
}

// Encrypts one block of the plaintext, whose end is the message's when `last`; moves `*out`. Returns the next index.
uint64_t encrypt_segments(FloeCipher& cipher, const FloeMessage& message, uint64_t index, bool last, ByteView plaintext,
                          uint8_t** out) {
  size_t offset = 0;
  do {  // an empty plaintext is one empty segment
    size_t part = std::min(message.plaintext_length(), plaintext.size() - offset);
    bool final = last && offset + part == plaintext.size();
    cipher.encrypt(index++, final, plaintext.subview(offset, part), *out);
    *out += part + kFloeSegmentOverhead;
    offset += part;
  } while (offset < plaintext.size());
  return index;
}

// What is left to do once everything has been read and written. `output` is null when nothing was to be written.
// Syncing takes long, so whether the input is still what was read is looked at after it.
void finish(const InputFile& input, AtomicFile* output, const JobControl& control) {
  if (output == nullptr) return input.require_unchanged();
  if (output->in_place()) output->take_owner(input.status());
  output->sync();
  input.require_unchanged();
  control.check();
  if (output->in_place()) {
    output->publish_over(input);
  } else {
    output->publish();
  }
}

}  // namespace

FileJobResult encrypt_file(InputFile& input, AtomicFile& output, ByteView header, const FloeMessage& message,
                           JobControl& control) {
  const uint64_t size = input.size();
  control.begin(size);
  const uint64_t count = message.segment_count(size);
  const size_t batch = static_cast<size_t>(std::min<uint64_t>(segments_per_block(message), count));

  SecretBytes plaintext(static_cast<size_t>(std::min<uint64_t>(size, uint64_t{batch} * message.plaintext_length())));
  Bytes encrypted(header.size() + kFloeHeaderLength + plaintext.size() + batch * kFloeSegmentOverhead);
  uint8_t* end = std::copy(header.begin(), header.end(), encrypted.data());
  end = std::copy(message.header().begin(), message.header().end(), end);

  FloeCipher cipher(message);
  FileJobResult result{size, 0};
  uint64_t left = size;
  for (uint64_t index = 0; index < count;) {
    control.check();
    size_t length = static_cast<size_t>(std::min<uint64_t>(left, plaintext.size()));
    input.read(plaintext.data(), length);
    left -= length;
    index = encrypt_segments(cipher, message, index, left == 0, ByteView(plaintext.data(), length), &end);
    size_t filled = static_cast<size_t>(end - encrypted.data());
    output.write(ByteView(encrypted.data(), filled));
    result.output_bytes += filled;
    end = encrypted.data();
    control.advance(length);
  }
  finish(input, &output, control);
  return result;
}

namespace {

// Reads a body segment by segment, a block at a time, and tells where it ends too early.
class BodyReader {
 public:
  BodyReader(InputFile& input, uint64_t offset, size_t segment_length, size_t segments)
      : input_(input),
        left_(input.size() - offset),
        segment_length_(segment_length),
        block_(segment_length * segments) {}

  // The next segment, with what its mark says. kTruncated at the end of the file.
  ByteView next(uint64_t index, bool* final) {
    if (at_ == filled_) fill();
    size_t available = filled_ - at_;
    if (available < 4) throw_truncated(index);
    FloeMark mark = read_floe_mark(block_.data() + at_, segment_length_);
    if (mark.length > available) throw_truncated(index);
    ByteView segment(block_.data() + at_, mark.length);
    at_ += mark.length;
    *final = mark.final;
    return segment;
  }

  uint64_t left_over() const { return left_ + (filled_ - at_); }

 private:
  void fill() {
    filled_ = static_cast<size_t>(std::min<uint64_t>(left_, block_.size()));
    at_ = 0;
    input_.read(block_.data(), filled_);
    left_ -= filled_;
  }
  [[noreturn]] static void throw_truncated(uint64_t index) {
    throw Error(Code::kTruncated, "the file ends before segment " + std::to_string(index) +
                                      " is complete; its writer did not finish it, or it was cut");
  }

  InputFile& input_;
  uint64_t left_;
  size_t segment_length_;
  Bytes block_;
  size_t filled_ = 0;
  size_t at_ = 0;
};

FloeMessage read_message(InputFile& input, uint64_t offset, const SecretKey& key, ByteView aad) {
  if (offset > input.size() || input.size() - offset < kFloeHeaderLength) {
    throw Error(Code::kTruncated, "the file ends inside the header of its body");
  }
  input.seek(offset);
  uint8_t header[kFloeHeaderLength];
  input.read(header, sizeof header);
  return FloeMessage::open(key, aad, header);
}

}  // namespace

FileJobResult decrypt_file(InputFile& input, AtomicFile* output, uint64_t offset, const SecretKey& key, ByteView aad,
                           JobControl& control) {
  control.begin(input.size());
  FloeMessage message = read_message(input, offset, key, aad);
  const uint64_t body = input.size() - offset - kFloeHeaderLength;
  const uint64_t segments = std::max<uint64_t>(1, (body + message.segment_length() - 1) / message.segment_length());
  const size_t batch = static_cast<size_t>(std::min<uint64_t>(segments_per_block(message), segments));
  BodyReader reader(input, offset + kFloeHeaderLength, message.segment_length(), batch);
  SecretBytes plaintext(batch * message.plaintext_length());
  FloeCipher cipher(message);
  control.advance(offset + kFloeHeaderLength);

  uint64_t written = 0;
  bool final = false;
  for (uint64_t index = 0; !final;) {
    control.check();
    size_t filled = 0;
    for (size_t i = 0; i < batch && !final; ++i, ++index) {
      ByteView segment = reader.next(index, &final);
      cipher.decrypt(index, final, segment, plaintext.data() + filled);
      filled += segment.size() - kFloeSegmentOverhead;
      control.advance(segment.size());
    }
    if (output != nullptr) output->write(ByteView(plaintext.data(), filled));
    written += filled;
  }
  if (reader.left_over() != 0) {
    throw Error(Code::kTampered, std::to_string(reader.left_over()) + " bytes follow the last segment");
  }
  finish(input, output, control);
  return {input.size(), written};
}

void refuse_prefix(const InputFile& input, ByteView prefix) {
  Bytes start(prefix.size());
  if (input.read_at(0, start.data(), start.size()) < prefix.size()) return;
  if (!std::equal(start.begin(), start.end(), prefix.begin())) return;
  throw Error::about(Code::kAlreadyEncrypted, input.path(),
                     "is a Callseal file already; to encrypt it once more, allow it (allowNested)");
}

}  // namespace callseal
