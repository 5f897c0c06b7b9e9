#include "floe_body.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <string>

#include "crew.h"
#include "error.h"
#include "out_of_memory.h"

namespace callseal {
namespace {

using Clock = std::chrono::steady_clock;

// What a thread takes at once: microseconds of work, so that taking it and looking at the clock cost nothing.
constexpr size_t kShare = size_t{1} << 16;

constexpr size_t kMark = 4;

constexpr size_t kDigest = Sha256().size();

// The earliest segment that failed, and how.
class FirstFailure {
 public:
  void note(uint64_t index) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (index >= index_) return;
    index_ = index;
    error_ = std::current_exception();
  }
  uint64_t index() const { return index_; }
  [[noreturn]] void rethrow() const { std::rethrow_exception(error_); }

 private:
  std::mutex mutex_;
  uint64_t index_ = ~uint64_t{0};
  std::exception_ptr error_;
};

}  // namespace

FloeCipher& FloeBody::cipher_of(unsigned member) {
  if (ciphers_.size() <= member) ciphers_.resize(member + 1);
  if (ciphers_[member] == nullptr) ciphers_[member] = std::make_unique<FloeCipher>(message_);
  return *ciphers_[member];
}

uint64_t FloeBody::share(uint64_t count, const FloeEffort& effort,
                         const std::function<void(FloeCipher&, uint64_t)>& work) {
  const uint64_t share = std::max<uint64_t>(1, kShare / message_.segment_length());
  unsigned members = static_cast<unsigned>(std::min<uint64_t>(effort.threads, (count + share - 1) / share));
  if (members > 1) members = std::min(members, Crew::cores());
  // Made here, as members must not change the list.
  for (unsigned member = members; member-- > 0;) cipher_of(member);
  const Clock::time_point end = Clock::now() + effort.time;
  std::atomic<uint64_t> next{0};
  Crew::get().run(members, [&](unsigned member) {
    FloeCipher& cipher = *ciphers_[member];
    do {
      const uint64_t first = next.fetch_add(share);
      const uint64_t behind = std::min(count, first + share);
      for (uint64_t i = first; i < behind; ++i) work(cipher, i);
      if (behind >= count) return;
    } while (Clock::now() < end);
  });
  // What was taken was done.
  return std::min<uint64_t>(count, next);
}

size_t FloeBody::encrypt(SplitView plaintext, bool last, uint8_t* out, size_t capacity, const FloeEffort& effort) {
  if (finished_) throw Error(Code::kKeyUse, "the last segment was already written");
  const size_t step = message_.plaintext_length();
  const size_t size = plaintext.size();
  if (!last && size % step != 0) {
    throw Error(Code::kInvalidArgument, "segments that are not the last carry " + std::to_string(step) + " bytes each");
  }
  const uint64_t count = last ? message_.segment_count(size) : size / step;
  const uint64_t needed = size + count * kFloeSegmentOverhead;
  if (capacity < needed) {
    throw Error(Code::kInvalidArgument, "the output needs " + std::to_string(needed) + " bytes");
  }
  Bytes digests(digest_.has_value() ? static_cast<size_t>(count) * kDigest : 0);
  const uint64_t done = share(count, effort, [&](FloeCipher& cipher, uint64_t i) {
    const size_t offset = static_cast<size_t>(i) * step;
    const size_t length = std::min(step, size - offset);
    uint8_t* segment = out + i * message_.segment_length();
    cipher.encrypt(next_ + i, last && i + 1 == count, plaintext.subview(offset, length), segment);
    if (digest_.has_value()) segment_digest(ByteView(segment, length + kFloeSegmentOverhead), &digests[i * kDigest]);
  });
  if (digest_.has_value()) digest_->add(ByteView(digests.data(), static_cast<size_t>(done) * kDigest));
  next_ += done;
  finished_ = last && done == count;
  return static_cast<size_t>(done == count ? needed : done * message_.segment_length());
}

size_t FloeBody::decrypt(SplitView body, uint8_t* out, size_t capacity, const FloeEffort& effort) {
  if (finished_) throw Error(Code::kKeyUse, "the last segment was already read");
  if (body.size() < kMark) return 0;
  uint8_t bytes[kMark];
  body.subview(0, kMark).copy_to(bytes);
  const FloeMark mark = read_floe_mark(bytes, message_.segment_length());
  if (mark.length > body.size()) return 0;
  if (capacity < mark.length - kFloeSegmentOverhead) {
    throw Error(Code::kInvalidArgument,
                "the output needs " + std::to_string(mark.length - kFloeSegmentOverhead) + " bytes");
  }
  if (mark.final) return decrypt_one(body.subview(0, mark.length), true, out);
  const size_t count = std::min(body.size() / message_.segment_length(), capacity / message_.plaintext_length());
  const size_t length = message_.segment_length();
  return static_cast<size_t>(decrypt_full(body.subview(0, count * length), count, out, effort)) * length;
}

const BodyDigest& FloeBody::digest() const {
  if (digest_.has_value() && finished_) return *digest_;
  throw Error(Code::kKeyUse, digest_.has_value() ? "the last segment is not there yet" : "the body is not digested");
}

size_t FloeBody::decrypt_one(SplitView segment, bool final, uint8_t* out) {
  uint8_t digest[kDigest];
  if (digest_.has_value()) segment_digest(segment, digest);
  cipher_of(0).decrypt(next_, final, segment, out);
  if (digest_.has_value()) digest_->add(digest);
  ++next_;
  finished_ = final;
  return segment.size();
}

// Takes none of `segments` for the last one; if one is, that ends it, and the next call begins with that one.
uint64_t FloeBody::decrypt_full(SplitView segments, uint64_t count, uint8_t* out, const FloeEffort& effort) {
  const size_t step = message_.plaintext_length();
  Bytes digests(digest_.has_value() ? static_cast<size_t>(count) * kDigest : 0);
  FirstFailure failure;
  uint64_t done = 0;
  try {
    done = share(count, effort, [&](FloeCipher& cipher, uint64_t i) {
      const SplitView segment =
          segments.subview(static_cast<size_t>(i) * message_.segment_length(), message_.segment_length());
      try {
        cipher.decrypt(next_ + i, false, segment, out + i * step);
        if (digest_.has_value()) segment_digest(segment, &digests[i * kDigest]);
      } catch (const Error& error) {
        if (error.code() != Code::kTampered) throw;
        require_memory();  // only here: errno is a thread's own
        failure.note(i);
      }
    });
  } catch (...) {
    OPENSSL_cleanse(out, static_cast<size_t>(count) * step);
    throw;
  }
  const uint64_t good = std::min(done, failure.index());
  OPENSSL_cleanse(out + good * step, static_cast<size_t>(done - good) * step);
  if (good == 0) failure.rethrow();
  if (digest_.has_value()) digest_->add(ByteView(digests.data(), static_cast<size_t>(good) * kDigest));
  next_ += good;
  return good;
}

void encrypt_floe_body(const FloeMessage& message, ByteView plaintext, uint8_t* out, unsigned threads) {
  const size_t capacity = static_cast<size_t>(message.encrypted_length(plaintext.size())) - kFloeHeaderLength;
  FloeBody(message).encrypt(plaintext, true, out, capacity, {threads});
}

size_t decrypt_floe_body(const FloeMessage& message, ByteView body, uint8_t* out, unsigned threads) {
  const size_t capacity = body.size() - kFloeHeaderLength;
  FloeBody segments(message);
  size_t read = kFloeHeaderLength;
  uint64_t count = 0;
  size_t written = 0;
  try {
    while (!segments.finished()) {
      const size_t length =
          segments.decrypt(body.subview(read, body.size() - read), out + written, capacity - written, {threads});
      if (length == 0) {
        throw Error(Code::kTruncated, "the file ends before segment " + std::to_string(count) +
                                          " is complete; its writer did not finish it, or it was cut");
      }
      const uint64_t done = message.segments_in(length);
      read += length;
      written += length - static_cast<size_t>(done) * kFloeSegmentOverhead;
      count += done;
    }
    if (read != body.size()) {
      throw Error(Code::kTampered, std::to_string(body.size() - read) + " bytes follow the last segment");
    }
  } catch (...) {
    OPENSSL_cleanse(out, written);
    throw;
  }
  return written;
}

}  // namespace callseal
