#include "file_job.h"

#include <algorithm>

#include "block.h"
#include "block_work.h"
#include "body_digest.h"
#include "error.h"

namespace callseal {
namespace {

struct EncryptJob {
  const InputFile& input;
  AtomicFile& output;
  ByteView header;
  const FloeMessage& message;
  BlockLayout layout;
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
    const BlockLayout& layout = job_.layout;
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

FileJobResult encrypt_content(const InputFile& input, AtomicFile& output, ByteView header, const FloeMessage& message,
                              JobControl& control, const SignedFile* signature) {
  const uint64_t size = input.size();
  const uint64_t body_end = header.size() + message.encrypted_length(size);
  const uint64_t length = body_end + (signature != nullptr ? signature->closing_length() : 0);
  control.begin(size);
  const BlockLayout layout(message, header.size() + kFloeHeaderLength, message.segment_count(size));
  reserve_blocks(output, length, layout);
  SharedBodyDigest digest;
  work_through<BlockEncryptor>(
      EncryptJob{input, output, header, message, layout, control, signature != nullptr ? &digest : nullptr});
  if (signature != nullptr) output.write(body_end, signature->closing_block(digest.summary()));
  return {size, length};
}

FileJobResult encrypt_file(const InputFile& input, AtomicFile& output, ByteView header, const FloeMessage& message,
                           JobControl& control, const SignedFile* signature) {
  const FileJobResult result = encrypt_content(input, output, header, message, control, signature);
  finish_job(input, &output, control);
  return result;
}

void refuse_prefix(const InputFile& input, ByteView prefix) {
  Bytes start(prefix.size());
  if (input.read_at(0, start.data(), start.size()) < prefix.size()) return;
  if (!std::equal(start.begin(), start.end(), prefix.begin())) return;
  throw Error::about(Code::kAlreadyEncrypted, input.path(),
                     "is a Callseal file already; to encrypt it once more, allow it (allowNested)");
}

}  // namespace callseal
