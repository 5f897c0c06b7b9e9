// Hostile CMS messages, in DER, BER and PEM: what is accepted must be so however it comes in, and be no longer than
// what it came from; what is refused is refused with a code of this format.
//
// Input: a file. Seeds: corpus/fuzz_cms, made by `openssl cms -encrypt`.
#include <openssl/err.h>
#include <stdlib.h>

#include <optional>

#include "../test/module_from_environment.h"
#include "cms_armour.h"
#include "cms_reader.h"
#include "error.h"
#include "support/der_mutator.h"

namespace {

using namespace callseal;

void require(bool condition) {
  if (!condition) abort();
}

struct Outcome {
  std::optional<Code> refusal;
  Bytes content;
  Bytes tag;
  size_t recipients = 0;

  // Of a message that is refused, more or less may have been read before.
  bool operator==(const Outcome& other) const {
    if (refusal != other.refusal || recipients != other.recipients) return false;
    return refusal.has_value() || (content == other.content && tag == other.tag);
  }
};

void check_header(const CmsHeader& header) {
  require(!header.recipients.empty() && header.recipients.size() <= kMaxCmsRecipients);
  size_t total = 0;
  for (const CmsRecipient& recipient : header.recipients) {
    total += recipient.wrapped_key.size();
    for (char c : recipient.name) require(static_cast<unsigned char>(c) >= ' ');
    if (!recipient.problem.empty()) continue;
    require(recipient.key_id.empty() || recipient.issuer_and_serial.empty());
    // What was decoded can be compared and written again.
    if (recipient.issuer_and_serial.empty()) continue;
    require(same_issuer_and_serial(recipient.issuer_and_serial, recipient.issuer_and_serial));
    encode_recipient_info(recipient.issuer_and_serial, recipient.wrapped_key);
  }
  require(total <= kMaxCmsHeaderBytes);
}

// The source gives at most `piece` bytes at once; `length` are asked for.
Outcome read_in(ByteView bytes, size_t piece, size_t length) {
  Outcome outcome;
  try {
    std::unique_ptr<ByteSource> source = open_cms_armour(bytes.subview(0, std::min(bytes.size(), kCmsStartBytes)),
                                                         std::make_unique<MemorySource>(bytes, piece));
    CmsReader reader(*source);
    check_header(reader.header());
    outcome.recipients = reader.header().recipients.size();
    Bytes buffer(length);
    while (const size_t got = reader.read_content(buffer.data(), buffer.size())) {
      require(got <= length);
      outcome.content.insert(outcome.content.end(), buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(got));
      require(outcome.content.size() < bytes.size());
    }
    const CmsTag tag = reader.read_tag();
    outcome.tag.assign(tag.begin(), tag.end());
  } catch (const Error& error) {
    outcome.refusal = error.code();
    require(error.code() == Code::kTampered || error.code() == Code::kTruncated || error.code() == Code::kNotCms);
  }
  require(ERR_peek_error() == 0);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  test::initialise_module_from_environment();
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  return fuzz::mutate_der(data, size, max_size, seed);
}

extern "C" size_t LLVMFuzzerCustomCrossOver(const uint8_t* data1, size_t size1, const uint8_t* data2, size_t size2,
                                            uint8_t* out, size_t max_size, unsigned seed) {
  return fuzz::cross_der(data1, size1, data2, size2, out, max_size, seed);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes(data, size);
  const Outcome whole = read_in(bytes, SIZE_MAX, 4096);
  const Outcome pieces = read_in(bytes, 1, 3);
  // A message that is cut within its PEM text may be refused for what stands before, or after.
  if (bytes.size() > 0 && *bytes.data() == 0x30) require(whole == pieces);
  require(whole.refusal.has_value() == pieces.refusal.has_value());
  return 0;
}
