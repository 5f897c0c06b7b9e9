#include "body_digest.h"

#include "error.h"
#include "module.h"

namespace callseal {

BodyDigest::BodyDigest() : context_(EVP_MD_CTX_new()) {
  require_openssl(context_ != nullptr && EVP_DigestInit_ex2(context_.get(), Module::get().sha256(), nullptr) == 1,
                  "preparing a digest");
}

void BodyDigest::add(ByteView digests) {
  require_openssl(EVP_DigestUpdate(context_.get(), digests.data(), digests.size()) == 1, "computing SHA-256");
  segments_ += digests.size() / Sha256().size();
}

BodySummary BodyDigest::summary() const {
  DigestCtxPtr copy(EVP_MD_CTX_new());
  BodySummary summary{segments_, {}};
  require_openssl(copy != nullptr && EVP_MD_CTX_copy_ex(copy.get(), context_.get()) == 1 &&
                      EVP_DigestFinal_ex(copy.get(), summary.digest.data(), nullptr) == 1,
                  "computing SHA-256");
  return summary;
}

void segment_digest(SplitView segment, uint8_t* out) {
  Sha256 digest{};
  if (segment.head().empty()) {
    digest = sha256(segment.rest());
  } else {
    DigestCtxPtr context(EVP_MD_CTX_new());
    require_openssl(context != nullptr && EVP_DigestInit_ex2(context.get(), Module::get().sha256(), nullptr) == 1 &&
                        EVP_DigestUpdate(context.get(), segment.head().data(), segment.head().size()) == 1 &&
                        EVP_DigestUpdate(context.get(), segment.rest().data(), segment.rest().size()) == 1 &&
                        EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1,
                    "computing SHA-256");
  }
  std::copy(digest.begin(), digest.end(), out);
}

Bytes segment_digests(ByteView segments, size_t segment_length) {
  constexpr size_t kLength = Sha256().size();
  const size_t count = (segments.size() + segment_length - 1) / segment_length;
  Bytes digests(count * kLength);
  for (size_t i = 0; i < count; ++i) {
    const size_t offset = i * segment_length;
    segment_digest(segments.subview(offset, std::min(segment_length, segments.size() - offset)),
                   digests.data() + i * kLength);
  }
  return digests;
}

void SharedBodyDigest::add(uint64_t block, Bytes digests) {
  std::lock_guard<std::mutex> lock(mutex_);
  waiting_.emplace(block, std::move(digests));
  for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_; first = waiting_.begin()) {
    digest_.add(first->second);
    waiting_.erase(first);
    ++next_;
  }
}

}  // namespace callseal
