#include "floe_body.h"

#include <set>
#include <thread>

#include "error.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {
namespace {

constexpr uint32_t kSegment = 1024;  // the shortest that format version 1 allows
constexpr size_t kStep = kSegment - kFloeSegmentOverhead;

SecretKey sample_key(uint32_t seed = 1, KeyUse use = KeyUse::kFloe) {
  return SecretKey(use, sample_bytes(32, seed));
}

const Bytes& sample_aad() {
  static const Bytes aad = sample_bytes(48, 77);
  return aad;
}

// Header and segments. Lengths below 1024 are for tests that go through every byte.
Bytes seal(const FloeMessage& message, const Bytes& plaintext) {
  Bytes body(static_cast<size_t>(message.encrypted_length(plaintext.size())));
  uint8_t* end = std::copy(message.header().begin(), message.header().end(), body.data());
  encrypt_floe_body(message, plaintext, end);
  return body;
}

Bytes seal(const Bytes& plaintext, uint32_t segment_length, unsigned rotation_bits = kFloeRotationBits) {
  return seal(FloeMessage::create(sample_key(), sample_aad(), segment_length, rotation_bits), plaintext);
}

Bytes open(const Bytes& body, unsigned rotation_bits = kFloeRotationBits) {
  ByteView header(body.data(), std::min(body.size(), kFloeHeaderLength));
  FloeMessage message = FloeMessage::open(sample_key(), sample_aad(), header, true, rotation_bits);
  Bytes plaintext(body.size() - kFloeHeaderLength);
  plaintext.resize(decrypt_floe_body(message, body, plaintext.data()));
  return plaintext;
}

Bytes flipped(Bytes bytes, size_t offset, uint8_t mask = 1) {
  bytes.at(offset) ^= mask;
  return bytes;
}

// The body with its segments (each `segment_length` bytes, the last one the rest) in another order.
Bytes rearranged(const Bytes& body, size_t segment_length, const std::vector<size_t>& order) {
  Bytes result(body.begin(), body.begin() + kFloeHeaderLength);
  for (size_t index : order) {
    auto start = body.begin() + static_cast<ptrdiff_t>(kFloeHeaderLength + index * segment_length);
    result.insert(result.end(), start,
                  start + std::min<ptrdiff_t>(static_cast<ptrdiff_t>(segment_length), body.end() - start));
  }
  return result;
}

TEST(floe_round_trips_around_segment_boundaries) {
  for (size_t size : {size_t{0}, size_t{1}, kStep - 1, kStep, kStep + 1, 2 * kStep - 1, 2 * kStep, 2 * kStep + 1,
                      31 * kStep, 31 * kStep + 500}) {
    Bytes plaintext = sample_bytes(size);
    Bytes body = seal(plaintext, kSegment);
    size_t segments = size == 0 ? 1 : (size + kStep - 1) / kStep;
    CHECK_EQ(body.size(), kFloeHeaderLength + size + segments * kFloeSegmentOverhead);
    CHECK(open(body) == plaintext);
  }
}

TEST(floe_round_trips_at_every_small_length) {
  for (uint32_t segment_length : {33u, 34u, 40u, 48u}) {
    for (size_t size = 0; size <= 40; ++size) {
      Bytes plaintext = sample_bytes(size);
      CHECK(open(seal(plaintext, segment_length)) == plaintext);
    }
  }
}

TEST(floe_header_is_laid_out_as_documented) {
  FloeMessage message = FloeMessage::create(sample_key(), sample_aad(), 0x00ABCDEF);
  const uint8_t expected[10] = {0, 0, 0x00, 0xAB, 0xCD, 0xEF, 0, 0, 0, 32};
  CHECK(std::equal(expected, expected + 10, message.header().begin()));
  CHECK_EQ(message.plaintext_length(), size_t{0x00ABCDEF - 32});
}

TEST(floe_messages_share_no_header_no_iv_and_no_ciphertext) {
  Bytes plaintext = sample_bytes(100 * kStep);
  std::set<Bytes> headers, ivs;
  for (int i = 0; i < 4; ++i) {
    Bytes body = seal(plaintext, kSegment);
    headers.insert(Bytes(body.begin() + 10, body.begin() + kFloeHeaderLength));
    for (size_t at = kFloeHeaderLength + 4; at < body.size(); at += kSegment) {
      ivs.insert(Bytes(body.begin() + static_cast<ptrdiff_t>(at), body.begin() + static_cast<ptrdiff_t>(at + 12)));
    }
  }
  CHECK_EQ(headers.size(), size_t{4});
  CHECK_EQ(ivs.size(), size_t{400});
}

TEST(floe_refuses_every_flipped_header_byte) {
  Bytes body = seal(sample_bytes(100), kSegment);
  for (size_t offset = 0; offset < kFloeHeaderLength; ++offset) {
    for (uint8_t mask : {uint8_t{1}, uint8_t{0x80}})
      CHECK_THROWS_CODE(open(flipped(body, offset, mask)), Code::kTampered);
  }
}

TEST(floe_refuses_another_key_and_other_associated_data) {
  Bytes body = seal(sample_bytes(100), kSegment);
  ByteView header(body.data(), kFloeHeaderLength);
  CHECK_THROWS_CODE(FloeMessage::open(sample_key(2), sample_aad(), header), Code::kTampered);
  CHECK_THROWS_CODE(FloeMessage::open(sample_key(), {}, header), Code::kTampered);
  for (size_t i = 0; i < sample_aad().size(); ++i) {
    CHECK_THROWS_CODE(FloeMessage::open(sample_key(), flipped(sample_aad(), i), header), Code::kTampered);
  }
}

TEST(floe_works_with_floe_keys_only) {
  Bytes header = seal({}, kSegment);
  header.resize(kFloeHeaderLength);
  for (KeyUse use : {KeyUse::kContent, KeyUse::kMac, KeyUse::kGcm, KeyUse::kWrap}) {
    CHECK_THROWS_CODE(FloeMessage::create(sample_key(1, use), sample_aad(), kSegment), Code::kKeyUse);
    CHECK_THROWS_CODE(FloeMessage::open(sample_key(1, use), sample_aad(), header), Code::kKeyUse);
  }
}

TEST(floe_refuses_every_flipped_body_byte) {
  constexpr uint32_t kShort = 48;
  Bytes body = seal(sample_bytes(40), kShort);  // 16 + 16 + 8 bytes of plaintext
  for (size_t offset = kFloeHeaderLength; offset < body.size(); ++offset) {
    const bool in_mark = (offset - kFloeHeaderLength) % kShort < 4;
    for (uint8_t mask : {uint8_t{1}, uint8_t{2}, uint8_t{0x10}, uint8_t{0x80}, uint8_t{0xFF}}) {
      try {
        open(flipped(body, offset, mask));
        CHECK(!"an altered body was accepted");
      } catch (const Error& error) {
        // A changed mark may promise more bytes than there are.
        CHECK(error.code() == Code::kTampered || (error.code() == Code::kTruncated && in_mark));
      }
    }
  }
}

TEST(floe_tells_every_truncation) {
  Bytes body = seal(sample_bytes(40), 48);
  for (size_t length = 0; length < body.size(); ++length) {
    Bytes cut(body.begin(), body.begin() + static_cast<ptrdiff_t>(length));
    CHECK_THROWS_CODE(open(cut), Code::kTruncated);
  }
}

TEST(floe_refuses_trailing_bytes) {
  for (size_t size : {0, 16, 40}) {
    Bytes body = seal(sample_bytes(size), 48);
    for (size_t extra : {1, 3, 4, 48, 1000}) {
      Bytes longer = body;
      longer.resize(body.size() + extra);
      CHECK_THROWS_CODE(open(longer), Code::kTampered);
    }
    Bytes twice = body;
    twice.insert(twice.end(), body.begin() + kFloeHeaderLength, body.end());
    CHECK_THROWS_CODE(open(twice), Code::kTampered);
  }
}

TEST(floe_refuses_rearranged_segments) {
  Bytes body = seal(sample_bytes(4 * 16), 48);
  CHECK(open(rearranged(body, 48, {0, 1, 2, 3})) == sample_bytes(4 * 16));
  for (const std::vector<size_t>& order : std::vector<std::vector<size_t>>{{1, 0, 2, 3},
                                                                           {0, 2, 1, 3},
                                                                           {0, 1, 3, 2},
                                                                           {0, 0, 1, 2, 3},
                                                                           {0, 1, 2, 2, 3},
                                                                           {0, 1, 3},
                                                                           {1, 2, 3},
                                                                           {3},
                                                                           {0, 1, 2, 3, 3}}) {
    CHECK_THROWS_CODE(open(rearranged(body, 48, order)), Code::kTampered);
  }
  for (const std::vector<size_t>& order : std::vector<std::vector<size_t>>{{}, {0}, {0, 1}, {0, 1, 2}}) {
    CHECK_THROWS_CODE(open(rearranged(body, 48, order)), Code::kTruncated);
  }
}

TEST(floe_refuses_segments_of_another_message) {
  Bytes plaintext = sample_bytes(4 * 16);
  Bytes one = seal(plaintext, 48), other = seal(plaintext, 48);
  for (size_t segment = 0; segment < 4; ++segment) {
    Bytes spliced = one;
    auto at = static_cast<ptrdiff_t>(kFloeHeaderLength + segment * 48);
    std::copy(other.begin() + at, other.begin() + at + 48, spliced.begin() + at);
    CHECK_THROWS_CODE(open(spliced), Code::kTampered);
  }
  std::copy(other.begin(), other.begin() + kFloeHeaderLength, one.begin());
  CHECK_THROWS_CODE(open(one), Code::kTampered);
}

TEST(floe_cipher_refuses_wrong_index_and_wrong_final_flag) {
  FloeMessage message = FloeMessage::create(sample_key(), sample_aad(), kSegment);
  FloeCipher cipher(message);
  Bytes plaintext = sample_bytes(kStep), full(kSegment), last(kSegment), out(kStep);
  cipher.encrypt(5, false, plaintext, full.data());
  cipher.encrypt(5, true, plaintext, last.data());
  cipher.decrypt(5, false, full, out.data());
  CHECK(out == plaintext);
  cipher.decrypt(5, true, last, out.data());
  CHECK(out == plaintext);
  for (uint64_t index : {uint64_t{0}, uint64_t{4}, uint64_t{6}, uint64_t{5} << 32, uint64_t{5} | uint64_t{1} << 40}) {
    CHECK_THROWS_CODE(cipher.decrypt(index, false, full, out.data()), Code::kTampered);
  }
  CHECK_THROWS_CODE(cipher.decrypt(5, true, full, out.data()), Code::kTampered);
  CHECK_THROWS_CODE(cipher.decrypt(5, false, last, out.data()), Code::kTampered);
  // The mark says otherwise, and is not itself authenticated: the tag must refuse.
  put_u32be(full.data(), kSegment);
  CHECK_THROWS_CODE(cipher.decrypt(5, true, full, out.data()), Code::kTampered);
  put_u32be(last.data(), 0xFFFFFFFF);
  CHECK_THROWS_CODE(cipher.decrypt(5, false, last, out.data()), Code::kTampered);
}

TEST(floe_cipher_refuses_impossible_segment_lengths) {
  FloeMessage message = FloeMessage::create(sample_key(), sample_aad(), kSegment);
  FloeCipher cipher(message);
  Bytes segment(2 * kSegment, 0xFF), out(2 * kSegment);
  for (size_t length : {size_t{0}, size_t{3}, size_t{31}, size_t{kSegment + 1}, size_t{2 * kSegment}}) {
    CHECK_THROWS_CODE(cipher.decrypt(0, false, ByteView(segment.data(), length), out.data()), Code::kTampered);
  }
  CHECK_THROWS_CODE(cipher.decrypt(0, false, ByteView(segment.data(), kSegment - 1), out.data()), Code::kTampered);
}

TEST(floe_cipher_refuses_wrong_plaintext_lengths) {
  FloeMessage message = FloeMessage::create(sample_key(), sample_aad(), kSegment);
  FloeCipher cipher(message);
  Bytes plaintext(kStep + 1), out(2 * kSegment);
  for (size_t length : {size_t{0}, kStep - 1, kStep + 1}) {
    CHECK_THROWS_CODE(cipher.encrypt(0, false, ByteView(plaintext.data(), length), out.data()), Code::kInvalidArgument);
  }
  CHECK_THROWS_CODE(cipher.encrypt(0, true, plaintext, out.data()), Code::kInvalidArgument);
}

TEST(floe_clears_what_it_had_decrypted_before_a_bad_segment) {
  constexpr size_t kSize = 5 * kStep;
  Bytes body = seal(sample_bytes(kSize), kSegment);
  for (size_t bad = 0; bad < 5; ++bad) {
    Bytes damaged = flipped(body, kFloeHeaderLength + bad * kSegment + 500);
    FloeMessage message = FloeMessage::open(sample_key(), sample_aad(), ByteView(body.data(), kFloeHeaderLength));
    Bytes out(damaged.size() - kFloeHeaderLength, 0);
    CHECK_THROWS_CODE(decrypt_floe_body(message, damaged, out.data()), Code::kTampered);
    CHECK(std::all_of(out.begin(), out.end(), [](uint8_t byte) { return byte == 0; }));
  }
}

TEST(floe_changes_the_data_key_at_each_rotation) {
  Bytes plaintext = sample_bytes(7 * 16 + 3);
  Bytes body = seal(plaintext, 48, 1);  // a data key for every two segments
  CHECK(open(body, 1) == plaintext);
  FloeMessage unrotated =
      FloeMessage::open(sample_key(), sample_aad(), ByteView(body.data(), kFloeHeaderLength), true, kFloeRotationBits);
  FloeCipher cipher(unrotated);
  Bytes out(16);
  for (uint64_t index = 0; index < 7; ++index) {
    ByteView segment(body.data() + kFloeHeaderLength + index * 48, 48);
    if (index < 2) {
      cipher.decrypt(index, false, segment, out.data());  // the first data key is the same
    } else {
      CHECK_THROWS_CODE(cipher.decrypt(index, false, segment, out.data()), Code::kTampered);
    }
  }
}

TEST(floe_opens_segments_in_any_order) {
  Bytes plaintext = sample_bytes(9 * 16);
  Bytes body = seal(plaintext, 48, 2);
  FloeMessage message =
      FloeMessage::open(sample_key(), sample_aad(), ByteView(body.data(), kFloeHeaderLength), true, 2);
  FloeCipher cipher(message);
  for (uint64_t index : {8, 0, 7, 3, 4, 5, 1, 8, 0}) {
    Bytes out(16);
    cipher.decrypt(index, index == 8, ByteView(body.data() + kFloeHeaderLength + index * 48, 48), out.data());
    CHECK(std::equal(out.begin(), out.end(), plaintext.begin() + static_cast<ptrdiff_t>(index * 16)));
  }
}

TEST(floe_messages_are_shared_by_threads) {
  Bytes plaintext = sample_bytes(64 * kStep);
  Bytes body = seal(plaintext, kSegment, 3);
  const FloeMessage message =
      FloeMessage::open(sample_key(), sample_aad(), ByteView(body.data(), kFloeHeaderLength), false, 3);
  Bytes out(plaintext.size());
  std::vector<std::thread> threads;
  for (uint64_t first = 0; first < 4; ++first) {
    threads.emplace_back([&, first] {
      FloeCipher cipher(message);
      for (uint64_t index = first; index < 64; index += 4) {
        cipher.decrypt(index, index == 63, ByteView(body.data() + kFloeHeaderLength + index * kSegment, kSegment),
                       out.data() + index * kStep);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(out == plaintext);
}

TEST(floe_allows_documented_segment_lengths_only) {
  for (uint32_t length : {0u, 1u, 32u, 16777217u, 0xFFFFFFFFu}) {
    CHECK_THROWS_CODE(FloeMessage::create(sample_key(), sample_aad(), length), Code::kInvalidArgument);
  }
  for (uint32_t length : {33u, 1023u, 1024u, 16777216u}) {
    FloeMessage message = FloeMessage::create(sample_key(), sample_aad(), length);
    ByteView header(message.header().data(), message.header().size());
    if (length < 1024) {  // right tag, but not format version 1
      CHECK_THROWS_CODE(FloeMessage::open(sample_key(), sample_aad(), header), Code::kTampered);
    } else {
      CHECK_EQ(FloeMessage::open(sample_key(), sample_aad(), header).segment_length(), size_t{length});
    }
  }
}

TEST(floe_mark_is_more_or_a_possible_length) {
  auto mark = [](uint32_t value) {
    uint8_t bytes[4];
    put_u32be(bytes, value);
    return read_floe_mark(bytes, kSegment);
  };
  CHECK(!mark(0xFFFFFFFF).final);
  CHECK_EQ(mark(0xFFFFFFFF).length, size_t{kSegment});
  for (uint32_t length : {32u, 33u, kSegment}) {
    CHECK(mark(length).final);
    CHECK_EQ(mark(length).length, size_t{length});
  }
  for (uint32_t length : {0u, 31u, kSegment + 1, 0x7FFFFFFFu, 0xFFFFFFFEu})
    CHECK_THROWS_CODE(mark(length), Code::kTampered);
}

}  // namespace
}  // namespace callseal::test
