#include "file_job.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "block.h"
#include "body_digest.h"
#include "crew.h"
#include "error.h"

namespace callseal {
namespace {

// Bytes of whole segments handled between two system calls: what the second-level cache holds twice.
constexpr size_t kBlockLength = size_t{256} << 10;
// Helpers take time to wake; fewer blocks are done sooner without them.
constexpr uint64_t kBlocksWorthHelp = 32;
// More threads than this only wait for each other at the file system …
constexpr uint64_t kMostMembers = 8;
// … and all their blocks together stay below this.
constexpr uint64_t kMostMemory = uint64_t{32} << 20;
constexpr size_t kMarkLength = 4;

// How the segments of a message lie in its file, and which of them make a block.
struct Layout {
  Layout(const FloeMessage& message, uint64_t start, uint64_t segment_count)
      : body_start(start),
        segment_length(message.segment_length()),
        segments(segment_count),
        segments_per_block(std::max<uint64_t>(1, kBlockLength / message.segment_length())),
        blocks((segments - 1) / segments_per_block + 1) {}

  uint64_t first_segment(uint64_t block) const { return block * segments_per_block; }
  // Threads that are to share the work.
  unsigned members() const {
    if (blocks < kBlocksWorthHelp) return 1;
    const uint64_t affordable = std::max<uint64_t>(1, kMostMemory / (2 * segments_per_block * segment_length));
    return static_cast<unsigned>(std::min<uint64_t>({kMostMembers, affordable, Crew::cores()}));
  }
  // Segments in the longest block.
  size_t longest() const { return static_cast<size_t>(std::min(segments, segments_per_block)); }

  uint64_t body_start;  // offset of the first segment in the encrypted file
  uint64_t segment_length;
  uint64_t segments;  // at least one
  uint64_t segments_per_block;
  uint64_t blocks;
};

// Gives out blocks in order until one fails. The failure of the lowest block counts: all before it were given out, so
// it is what working from the beginning would have met first.
class Blocks {
 public:
  explicit Blocks(uint64_t count) : end_(count) {}

  bool take(uint64_t* block) {
    *block = next_.fetch_add(1, std::memory_order_relaxed);
    return *block < end_.load(std::memory_order_relaxed);
  }

  void fail(uint64_t block, std::exception_ptr failure) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (block >= end_.load(std::memory_order_relaxed)) return;  // a lower one has failed
    failure_ = std::move(failure);
    end_.store(block, std::memory_order_relaxed);
  }

  // Once all who took blocks have ended.
  void rethrow() const {
    if (failure_ != nullptr) std::rethrow_exception(failure_);
  }

 private:
  std::atomic<uint64_t> next_{0};
  std::atomic<uint64_t> end_;
  std::mutex mutex_;
  std::exception_ptr failure_;
};

// Has every block of a job done, by several threads if there are many. Each makes a Worker of its own and calls it with
// the numbers of blocks.
template <typename Worker, typename Job>
void work_through(const Job& job) {
  Blocks blocks(job.layout.blocks);
  Crew::get().run(job.layout.members(), [&](unsigned) {
    std::optional<Worker> worker;
    for (uint64_t block; blocks.take(&block);) {
      try {
        job.control.check();
        if (!worker.has_value()) worker.emplace(job);
        (*worker)(block);
      } catch (...) {
        blocks.fail(block, std::current_exception());
      }
    }
  });
  blocks.rethrow();
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

// Space is set aside for files of several blocks; a smaller one is written at once.
void reserve(AtomicFile& output, uint64_t length, const Layout& layout) {
  if (layout.blocks > 1) output.reserve(length);
}

struct EncryptJob {
  const InputFile& input;
  AtomicFile& output;
  ByteView header;
  const FloeMessage& message;
  Layout layout;
  JobControl& control;
  SharedBodyDigest* digest;  // null for files without a signature
};

class BlockEncryptor {
 public:
  explicit BlockEncryptor(const EncryptJob& job)
      : job_(job),
        cipher_(job.message),
        plaintext_(static_cast<size_t>(
            std::min<uint64_t>(job.input.size(), job.layout.longest() * job.message.plaintext_length()))),
        encrypted_(static_cast<size_t>(job.layout.body_start) + plaintext_.size() +
                   job.layout.longest() * kFloeSegmentOverhead) {}

  void operator()(uint64_t block) {
    const Layout& layout = job_.layout;
    uint64_t index = layout.first_segment(block);
    const uint64_t from = index * job_.message.plaintext_length();
    const size_t length = static_cast<size_t>(std::min<uint64_t>(job_.input.size() - from, plaintext_.size()));
    job_.input.read_exactly(from, plaintext_.data(), length);

    uint64_t to = layout.body_start + index * job_.message.segment_length();
    uint8_t* end = encrypted_.data();
    if (block == 0) {  // one write for the header and what follows it
      to = 0;
      end = std::copy(job_.header.begin(), job_.header.end(), end);
      end = std::copy(job_.message.header().begin(), job_.message.header().end(), end);
    }
    const uint8_t* segments = end;
    end = encrypt_segments(index, plaintext_.first(length), end);
    if (job_.digest != nullptr) {
      job_.digest->add(block, segment_digests(ByteView(segments, static_cast<size_t>(end - segments)),
                                              job_.message.segment_length()));
    }
    job_.output.write(to, encrypted_.first(static_cast<size_t>(end - encrypted_.data())));
    job_.control.advance(length);
  }

 private:
  uint8_t* encrypt_segments(uint64_t index, ByteView plaintext, uint8_t* out) {
    size_t offset = 0;
    do {  // an empty plaintext is one empty segment
      size_t part = std::min(job_.message.plaintext_length(), plaintext.size() - offset);
      cipher_.encrypt(index, index + 1 == job_.layout.segments, plaintext.subview(offset, part), out);
      ++index;
      out += part + kFloeSegmentOverhead;
      offset += part;
    } while (offset < plaintext.size());
    return out;
  }

  const EncryptJob& job_;
  FloeCipher cipher_;
  SecretBlock plaintext_;
  Block encrypted_;
};

}  // namespace

FileJobResult encrypt_file(const InputFile& input, AtomicFile& output, ByteView header, const FloeMessage& message,
                           JobControl& control, const SignedFile* signature) {
  const uint64_t size = input.size();
  const uint64_t body_end = header.size() + message.encrypted_length(size);
  const uint64_t length = body_end + (signature != nullptr ? signature->closing_length() : 0);
  control.begin(size);
  const Layout layout(message, header.size() + kFloeHeaderLength, message.segment_count(size));
  reserve(output, length, layout);
  SharedBodyDigest digest;
  work_through<BlockEncryptor>(
      EncryptJob{input, output, header, message, layout, control, signature != nullptr ? &digest : nullptr});
  if (signature != nullptr) {
    output.write(body_end, signature->closing_block(digest.summary()));
  }
  finish(input, &output, control);
  return {size, length};
}

namespace {

struct DecryptJob {
  const InputFile& input;
  AtomicFile* output;
  const FloeMessage& message;
  Layout layout;
  uint64_t body_end;  // where the last segment must end
  JobControl& control;
  SharedBodyDigest* digest;  // null for files without a signature

  uint64_t segments_length() const { return body_end - layout.body_start; }
};

[[noreturn]] void throw_truncated(uint64_t index) {
  throw Error(Code::kTruncated, "the file ends before segment " + std::to_string(index) +
                                    " is complete; its writer did not finish it, or it was cut");
}

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

    ByteView left = encrypted_.first(length);
    uint8_t* end = plaintext_.data();
    for (uint64_t index = first; index < first + job_.layout.segments_per_block && index < job_.layout.segments;
         ++index) {
      size_t used = decrypt_segment(index, left, end);
      end += used - kFloeSegmentOverhead;
      left = left.subview(used, left.size() - used);
    }
    if (job_.digest != nullptr) {
      job_.digest->add(block, segment_digests(encrypted_.first(length), job_.message.segment_length()));
    }
    if (job_.output != nullptr) {
      job_.output->write(first * job_.message.plaintext_length(),
                         plaintext_.first(static_cast<size_t>(end - plaintext_.data())));
    }
    job_.control.advance(length);
  }

 private:
  // Decrypts the segment at the beginning of `bytes` and returns its length.
  size_t decrypt_segment(uint64_t index, ByteView bytes, uint8_t* out) {
    if (bytes.size() < kMarkLength) throw_truncated(index);
    const FloeMark mark = read_floe_mark(bytes.data(), job_.message.segment_length());
    if (mark.length > bytes.size()) throw_truncated(index);
    cipher_.decrypt(index, mark.final, bytes.subview(0, mark.length), out);
    const uint64_t end = index * job_.message.segment_length() + mark.length;
    if (!mark.final && index + 1 == job_.layout.segments) throw_truncated(index + 1);
    if (mark.final && end != job_.segments_length()) {
      throw Error(Code::kTampered, std::to_string(job_.segments_length() - end) + " bytes follow the last segment");
    }
    return mark.length;
  }

  const DecryptJob& job_;
  FloeCipher cipher_;
  Block encrypted_;
  SecretBlock plaintext_;
};

// Whether the file ends with the message's last segment, which proves how long its plaintext is. `layout` is of a whole
// file.
bool ends_with_last_segment(const DecryptJob& job) {
  const uint64_t index = job.layout.segments - 1;
  const uint64_t from = index * job.message.segment_length();
  Block encrypted(static_cast<size_t>(job.segments_length() - from));
  SecretBlock plaintext(encrypted.size());
  job.input.read_exactly(job.layout.body_start + from, encrypted.data(), encrypted.size());
  try {
    FloeCipher(job.message).decrypt(index, true, encrypted.first(encrypted.size()), plaintext.data());
    return true;
  } catch (const Error& error) {
    if (error.code() != Code::kTampered) throw;
    return false;
  }
}

// Only as much as the file is proved to hold, unless that is little: whoever makes a file longer, which takes no disk
// if it is sparse, shall not fill the disk of who opens it.
void reserve_plaintext(const DecryptJob& job, uint64_t length) {
  if (job.layout.blocks < kBlocksWorthHelp || ends_with_last_segment(job)) reserve(*job.output, length, job.layout);
}

FloeMessage read_message(const InputFile& input, uint64_t offset, const SecretKey& key, ByteView aad) {
  if (offset > input.size() || input.size() - offset < kFloeHeaderLength) {
    throw Error(Code::kTruncated, "the file ends inside the header of its body");
  }
  uint8_t header[kFloeHeaderLength];
  input.read_exactly(offset, header, sizeof header);
  return FloeMessage::open(key, aad, header);
}

// Where the last segment ends in a whole file whose first begins at `start`.
uint64_t end_of_body(const InputFile& input, uint64_t start, const FileSignature* signature) {
  if (signature == nullptr) return input.size();
  if (input.size() - start < signature->closing_length()) throw_truncated(0);
  return input.size() - signature->closing_length();
}

void verify_closing(const DecryptJob& job, const FileSignature& signature) {
  Bytes block(signature.closing_length());
  job.input.read_exactly(job.body_end, block.data(), block.size());
  signature.verify_closing(block, job.digest->summary());
}

}  // namespace

FileJobResult decrypt_file(const InputFile& input, AtomicFile* output, uint64_t offset, const SecretKey& key,
                           ByteView aad, JobControl& control, const FileSignature* signature) {
  control.begin(input.size());
  const FloeMessage message = read_message(input, offset, key, aad);
  const uint64_t start = offset + kFloeHeaderLength;
  const uint64_t end = end_of_body(input, start, signature);
  const uint64_t body = end - start;
  const Layout layout(message, start,
                      std::max<uint64_t>(1, (body + message.segment_length() - 1) / message.segment_length()));
  const uint64_t overhead = layout.segments * kFloeSegmentOverhead;
  const uint64_t length = body > overhead ? body - overhead : 0;  // of the plaintext, if the file is whole
  control.advance(start);
  SharedBodyDigest digest;
  const DecryptJob job{input, output, message, layout, end, control, signature != nullptr ? &digest : nullptr};
  if (output != nullptr) reserve_plaintext(job, length);
  work_through<BlockDecryptor>(job);
  if (signature != nullptr) verify_closing(job, *signature);
  finish(input, output, control);
  return {input.size(), length};
}

void refuse_prefix(const InputFile& input, ByteView prefix) {
  Bytes start(prefix.size());
  if (input.read_at(0, start.data(), start.size()) < prefix.size()) return;
  if (!std::equal(start.begin(), start.end(), prefix.begin())) return;
  throw Error::about(Code::kAlreadyEncrypted, input.path(),
                     "is a Callseal file already; to encrypt it once more, allow it (allowNested)");
}

}  // namespace callseal
