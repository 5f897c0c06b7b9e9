// The half of file_job.h that decrypts.
#include <algorithm>

#include "block.h"
#include "block_work.h"
#include "body_digest.h"
#include "error.h"
#include "file_job.h"
#include "out_of_memory.h"

namespace callseal {
namespace {

constexpr size_t kMarkLength = 4;

struct DecryptJob {
  const InputFile& input;
  AtomicFile* output;
  const FloeMessage& message;
  BlockLayout layout;
  uint64_t body_end;  // where the last segment must end
  JobControl& control;
  bool recover;
  SharedBodyDigest* digest;  // null for files without a signature

  uint64_t segments_length() const { return body_end - layout.body_start; }
};

[[noreturn]] void throw_truncated(uint64_t index) {
  throw Error(Code::kTruncated, "the file ends before segment " + std::to_string(index) +
                                    " is complete; its writer did not finish it, or it was cut");
}

// What a recovering job throws in place of an error of the file: where it ends being authentic.
struct AuthenticEnd {
  Loss loss;
  uint64_t plaintext_bytes;
};

// How many segments there are follows from the file's length; every mark is held against that.
class BlockDecryptor {
 public:
  explicit BlockDecryptor(const DecryptJob& job)
      : job_(job),
        cipher_(job.message),
        encrypted_(static_cast<size_t>(
            std::min<uint64_t>(job.segments_length(), job.layout.longest() * job.message.segment_length()))),
        plaintext_(encrypted_.size()) {}

  void operator()(uint64_t block) {
    const uint64_t first = job_.layout.first_segment(block);
    const uint64_t from = first * job_.message.segment_length();
    const size_t length = static_cast<size_t>(std::min<uint64_t>(job_.segments_length() - from, encrypted_.size()));
    job_.input.read_exactly(job_.layout.body_start + from, encrypted_.data(), length);

    Done done{first, encrypted_.first(length), plaintext_.data()};
    try {
      while (done.segments < first + job_.layout.segments_per_block && done.segments < job_.layout.segments) {
        decrypt_segment(&done);
      }
    } catch (const Error& error) {
      const bool of_the_file = error.code() == Code::kTampered || error.code() == Code::kTruncated;
      if (!job_.recover || !of_the_file) throw;
      if (error.code() == Code::kTampered) require_memory();
      if (done.final) add_digests(block, length - done.left.size());
      write(first, done);
      throw end_at(first, done, error.code());
    }
    add_digests(block, length);
    write(first, done);
    job_.control.advance(length);
  }

 private:
  // How far a block is done.
  struct Done {
    uint64_t segments;  // of the whole message
    ByteView left;      // encrypted bytes
    uint8_t* end;       // of the plaintext
    bool final = false;
  };

  void decrypt_segment(Done* done) {
    const uint64_t index = done->segments;
    if (done->left.size() < kMarkLength) throw_truncated(index);
    const FloeMark mark = read_floe_mark(done->left.data(), job_.message.segment_length());
    if (mark.length > done->left.size()) throw_truncated(index);
    cipher_.decrypt(index, mark.final, done->left.subview(0, mark.length), done->end);
    *done = {index + 1, done->left.subview(mark.length, done->left.size() - mark.length),
             done->end + mark.length - kFloeSegmentOverhead, mark.final};
    const uint64_t end = index * job_.message.segment_length() + mark.length;
    if (!mark.final && done->segments == job_.layout.segments) throw_truncated(done->segments);
    if (mark.final && end != job_.segments_length()) {
      throw Error(Code::kTampered, std::to_string(job_.segments_length() - end) + " bytes follow the last segment");
    }
  }

  ByteView plaintext_until(const Done& done) const {
    return plaintext_.first(static_cast<size_t>(done.end - plaintext_.first(0).data()));
  }

  void write(uint64_t first, const Done& done) {
    if (job_.output != nullptr) job_.output->write(first * job_.message.plaintext_length(), plaintext_until(done));
  }

  void add_digests(uint64_t block, size_t length) {
    if (job_.digest == nullptr) return;
    job_.digest->add(block, segment_digests(encrypted_.first(length), job_.message.segment_length()));
  }

  AuthenticEnd end_at(uint64_t first, const Done& done, Code code) const {
    const uint64_t plaintext = first * job_.message.plaintext_length() + plaintext_until(done).size();
    const uint64_t used = plaintext + done.segments * kFloeSegmentOverhead;
    const Loss::Reason tampered = done.final ? Loss::Reason::kTrailing : Loss::Reason::kDamaged;
    const Loss::Reason reason = code == Code::kTruncated ? Loss::Reason::kTruncated : tampered;
    const uint64_t offset = job_.layout.body_start + used;
    return {{reason, done.segments, offset, job_.input.size() - offset}, plaintext};
  }

  const DecryptJob& job_;
  FloeCipher cipher_;
  Block encrypted_;
  SecretBlock plaintext_;
};

BlockLayout layout_of(const FloeMessage& message, uint64_t start, uint64_t end) {
  const uint64_t length = message.segment_length();
  return {message, start, std::max<uint64_t>(1, (end - start + length - 1) / length)};
}

// Whether the message's last segment ends at `end`, which proves how long its plaintext is.
bool ends_with_last_segment(const InputFile& input, const FloeMessage& message, uint64_t start, uint64_t end) {
  const uint64_t index = layout_of(message, start, end).segments - 1;
  const uint64_t from = start + index * message.segment_length();
  if (end - from < kFloeSegmentOverhead) return false;
  Block encrypted(static_cast<size_t>(end - from));
  SecretBlock plaintext(encrypted.size());
  input.read_exactly(from, encrypted.data(), encrypted.size());
  try {
    FloeCipher(message).decrypt(index, true, encrypted.first(encrypted.size()), plaintext.data());
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::kTampered) throw;
    require_memory();
    return false;
  }
}

// Only as much as the file is proved to hold, unless that is little: whoever makes a file longer, which takes no disk
// if it is sparse, shall not fill the disk of who opens it.
void reserve_plaintext(const DecryptJob& job, uint64_t length) {
  if (job.layout.blocks < kBlocksWorthHelp ||
      ends_with_last_segment(job.input, job.message, job.layout.body_start, job.body_end)) {
    reserve_blocks(*job.output, length, job.layout);
  }
}

// Other threads may have written blocks behind it.
void keep_beginning(const InputFile& input, AtomicFile& output, const AuthenticEnd& end) {
  if (output.in_place()) {
    throw Error::about(Code::kInvalidArgument, input.path(),
                       "is not whole, and is not replaced by what can be recovered of it; name another output");
  }
  output.truncate(end.plaintext_bytes);
}

FloeMessage read_message(const InputFile& input, uint64_t offset, const SecretKey& key, ByteView aad) {
  if (offset > input.size() || input.size() - offset < kFloeHeaderLength) {
    throw Error(Code::kTruncated, "the file ends inside the header of its body");
  }
  uint8_t header[kFloeHeaderLength];
  input.read_exactly(offset, header, sizeof header);
  return FloeMessage::open(key, aad, header);
}

// Where the last segment ends in a whole file whose first begins at `start`; the end of a file that is cut, and to be
// recovered.
uint64_t end_of_body(const InputFile& input, const FloeMessage& message, uint64_t start, bool recover,
                     const FileSignature* signature) {
  if (signature == nullptr) return input.size();
  const size_t closing = signature->closing_length();
  if (input.size() - start < closing) {
    if (!recover) throw_truncated(0);
    return input.size();
  }
  const uint64_t end = input.size() - closing;
  return !recover || ends_with_last_segment(input, message, start, end) ? end : input.size();
}

// `offset`: behind the last segment.
void verify_closing(const DecryptJob& job, uint64_t offset, const FileSignature& signature) {
  Bytes block(signature.closing_length());
  job.input.read_exactly(offset, block.data(), block.size());
  signature.verify_closing(block, job.digest->summary());
}

// None when all of the file is there and authentic. `length` is that of its plaintext then.
std::optional<AuthenticEnd> decrypt_segments(const DecryptJob& job, uint64_t length, const FileSignature* signature) {
  try {
    work_through<BlockDecryptor>(job);
  } catch (AuthenticEnd& end) {
    if (signature == nullptr || end.loss.reason != Loss::Reason::kTrailing) return end;
    const size_t closing = signature->closing_length();
    if (end.loss.bytes < closing) {
      end.loss.reason = Loss::Reason::kClosing;
      return end;
    }
    verify_closing(job, end.loss.offset, *signature);
    end.loss.offset += closing;
    end.loss.bytes -= closing;
    return end;
  }
  if (signature == nullptr) return std::nullopt;
  // Cut between the last segment and the closing block.
  if (job.body_end == job.input.size()) {
    return AuthenticEnd{{Loss::Reason::kClosing, job.layout.segments, job.body_end, 0}, length};
  }
  verify_closing(job, job.body_end, *signature);
  return std::nullopt;
}

}  // namespace

FileJobResult decrypt_file(const InputFile& input, AtomicFile* output, uint64_t offset, const SecretKey& key,
                           ByteView aad, JobControl& control, bool recover, const FileSignature* signature) {
  control.begin(input.size());
  const FloeMessage message = read_message(input, offset, key, aad);
  const uint64_t start = offset + kFloeHeaderLength;
  const uint64_t body_end = end_of_body(input, message, start, recover, signature);
  SharedBodyDigest digest;
  const DecryptJob job{input,    output,  message, layout_of(message, start, body_end),
                       body_end, control, recover, signature != nullptr ? &digest : nullptr};
  const uint64_t overhead = job.layout.segments * kFloeSegmentOverhead;
  // Of the plaintext, if the file is whole.
  const uint64_t length = job.segments_length() > overhead ? job.segments_length() - overhead : 0;
  control.advance(start);
  if (output != nullptr) reserve_plaintext(job, length);
  FileJobResult result{input.size(), length};
  if (const std::optional<AuthenticEnd> end = decrypt_segments(job, length, signature)) {
    if (output != nullptr) keep_beginning(input, *output, *end);
    result.output_bytes = end->plaintext_bytes;
    result.loss = end->loss;
  }
  finish_job(input, output, control);
  return result;
}

}  // namespace callseal
