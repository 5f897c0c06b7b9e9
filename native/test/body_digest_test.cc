// The digest of a body is the same however it comes together.
#include "body_digest.h"

#include <algorithm>
#include <thread>

#include "error.h"
#include "floe_body.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {
namespace {

constexpr size_t kSegment = 1024;

// From the definition: SHA-256 over the digests of the segments.
Sha256 expected(const Bytes& segments) {
  Bytes digests;
  for (size_t at = 0; at < segments.size(); at += kSegment) {
    const Sha256 digest = sha256(ByteView(segments.data() + at, std::min(kSegment, segments.size() - at)));
    digests.insert(digests.end(), digest.begin(), digest.end());
  }
  return sha256(digests);
}

TEST(body_digest_of_blocks_in_any_order) {
  const Bytes segments = sample_bytes(50 * kSegment + 77);
  constexpr size_t kBlock = 3 * kSegment;
  std::vector<uint64_t> order((segments.size() + kBlock - 1) / kBlock);
  for (size_t i = 0; i < order.size(); ++i) order[i] = (i * 7) % order.size();
  SharedBodyDigest digest;
  std::vector<std::thread> threads;
  for (uint64_t block : order) {
    threads.emplace_back([&, block] {
      const size_t from = static_cast<size_t>(block) * kBlock;
      digest.add(block,
                 segment_digests(ByteView(segments.data() + from, std::min(kBlock, segments.size() - from)), kSegment));
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(digest.summary().digest == expected(segments));
  CHECK_EQ(digest.summary().segments, uint64_t{51});
}

TEST(body_digest_of_a_split_segment) {
  const Bytes segment = sample_bytes(kSegment);
  const Sha256 whole = sha256(segment);
  for (size_t at : {size_t{0}, size_t{1}, size_t{500}, kSegment}) {
    Sha256 digest{};
    segment_digest(SplitView(ByteView(segment.data(), at), ByteView(segment.data() + at, kSegment - at)),
                   digest.data());
    CHECK(digest == whole);
  }
}

TEST(body_digest_of_what_was_written_and_read) {
  const FloeMessage message =
      FloeMessage::create(SecretKey(KeyUse::kFloe, sample_bytes(32)), sample_bytes(48), kSegment);
  const Bytes plaintext = sample_bytes(400 * 992 + 5);
  Bytes sealed(static_cast<size_t>(message.encrypted_length(plaintext.size())) - kFloeHeaderLength);
  for (unsigned threads : {1u, 4u}) {
    FloeBody writer(message, true);
    CHECK_THROWS_CODE(writer.digest(), Code::kKeyUse);
    size_t read = 0, written = 0;
    while (!writer.finished()) {  // a little at a time
      const size_t count =
          writer.encrypt(ByteView(plaintext.data() + read, plaintext.size() - read), true, sealed.data() + written,
                         sealed.size() - written, {threads, std::chrono::microseconds(0)});
      written += count;
      read += count - static_cast<size_t>(message.segments_in(count)) * kFloeSegmentOverhead;
    }
    CHECK(writer.digest().summary().digest == expected(sealed));
    FloeBody reader(message, true);
    Bytes opened(plaintext.size());
    read = written = 0;
    while (!reader.finished()) {
      const size_t some = std::min<size_t>(sealed.size() - read, 70 * kSegment);
      const size_t count = reader.decrypt(ByteView(sealed.data() + read, some), opened.data() + written,
                                          opened.size() - written, {threads});
      read += count;
      written += count - static_cast<size_t>(message.segments_in(count)) * kFloeSegmentOverhead;
    }
    CHECK(opened == plaintext);
    CHECK(reader.digest().summary().digest == expected(sealed));
    CHECK_EQ(reader.digest().summary().segments, uint64_t{401});
  }
  FloeBody without(message);
  CHECK_THROWS_CODE(without.digest(), Code::kKeyUse);
}

}  // namespace
}  // namespace callseal::test
