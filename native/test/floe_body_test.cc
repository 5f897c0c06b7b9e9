#include "floe_body.h"

#include <algorithm>
#include <set>

#include "error.h"
#include "memory.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {
namespace {

constexpr uint32_t kSegment = 1024;
constexpr size_t kStep = kSegment - kFloeSegmentOverhead;
constexpr size_t kSegments = 300;  // more than one thread takes at once
constexpr unsigned kThreads[] = {1, 2, 64};

SecretKey sample_key() {
  return SecretKey(KeyUse::kFloe, sample_bytes(32, 1));
}

FloeMessage new_message() {
  return FloeMessage::create(sample_key(), {}, kSegment);
}

FloeMessage reopened(const FloeMessage& message) {
  return FloeMessage::open(sample_key(), {}, ByteView(message.header().data(), message.header().size()));
}

// Segments without the header.
Bytes seal(const FloeMessage& message, const Bytes& plaintext, unsigned threads = 1) {
  Bytes body(message.encrypted_length(plaintext.size()) - kFloeHeaderLength);
  encrypt_floe_body(message, plaintext, body.data(), threads);
  return body;
}

Bytes with_header(const FloeMessage& message, const Bytes& body) {
  Bytes whole(message.header().begin(), message.header().end());
  whole.insert(whole.end(), body.begin(), body.end());
  return whole;
}

TEST(floe_body_is_the_same_for_any_number_of_threads) {
  for (size_t size : {size_t{0}, size_t{1}, kStep, kSegments * kStep, kSegments * kStep + 1}) {
    Bytes plaintext = sample_bytes(size);
    for (unsigned threads : kThreads) {
      FloeMessage message = new_message();
      Bytes body = seal(message, plaintext, threads);
      std::set<Bytes> ivs;
      for (size_t at = 0; at < body.size(); at += kSegment) {
        ivs.insert(
            Bytes(body.begin() + static_cast<ptrdiff_t>(at + 4), body.begin() + static_cast<ptrdiff_t>(at + 16)));
      }
      CHECK_EQ(ivs.size(), static_cast<size_t>(message.segment_count(size)));
      for (unsigned readers : kThreads) {
        Bytes out(body.size());
        FloeMessage opened = reopened(message);
        out.resize(decrypt_floe_body(opened, with_header(message, body), out.data(), readers));
        CHECK(out == plaintext);
      }
    }
  }
}

TEST(floe_body_takes_bytes_in_two_places) {
  Bytes plaintext = sample_bytes(3 * kStep + 10);
  for (size_t cut : {size_t{0}, size_t{1}, size_t{17}, kStep - 1, kStep, 2 * kStep + 5, plaintext.size()}) {
    FloeMessage message = new_message();
    Bytes body(message.encrypted_length(plaintext.size()) - kFloeHeaderLength);
    SplitView split(ByteView(plaintext.data(), cut), ByteView(plaintext.data() + cut, plaintext.size() - cut));
    CHECK_EQ(FloeBody(message).encrypt(split, true, body.data(), body.size(), {}), body.size());
    for (size_t other = 0; other <= kSegment + 40; other += 5) {
      FloeBody reader(message);
      Bytes out(plaintext.size());
      SplitView parts(ByteView(body.data(), other), ByteView(body.data() + other, body.size() - other));
      size_t read = reader.decrypt(parts, out.data(), out.size(), {});
      CHECK_EQ(read, size_t{3 * kSegment});
      reader.decrypt(ByteView(body.data() + read, body.size() - read), out.data() + 3 * kStep, 10, {});
      CHECK(out == plaintext);
    }
  }
}

TEST(floe_body_without_time_does_some_and_goes_on) {
  Bytes plaintext = sample_bytes(kSegments * kStep + 100);
  for (unsigned threads : kThreads) {
    FloeMessage message = new_message();
    FloeEffort hasty{threads, std::chrono::microseconds(0)};
    Bytes body(message.encrypted_length(plaintext.size()) - kFloeHeaderLength);
    FloeBody writer(message);
    for (size_t written = 0; written < body.size();) {
      size_t read = written / kSegment * kStep;
      ByteView rest(plaintext.data() + read, plaintext.size() - read);
      size_t count = writer.encrypt(rest, true, body.data() + written, body.size() - written, hasty);
      CHECK(count > 0);
      written += count;
    }
    CHECK(writer.finished());
    FloeBody reader(message);
    Bytes out(plaintext.size());
    for (size_t read = 0; !reader.finished();) {
      size_t written = read / kSegment * kStep;
      size_t count = reader.decrypt(ByteView(body.data() + read, body.size() - read), out.data() + written,
                                    out.size() - written, hasty);
      CHECK(count > 0);
      read += count;
    }
    CHECK(out == plaintext);
  }
}

TEST(floe_body_stops_before_what_was_altered_and_clears_what_follows) {
  Bytes plaintext = sample_bytes(kSegments * kStep);
  FloeMessage message = new_message();
  const Bytes body = seal(message, plaintext);
  for (size_t bad : {size_t{0}, size_t{1}, size_t{63}, size_t{64}, size_t{200}, kSegments - 2}) {
    for (unsigned threads : kThreads) {
      Bytes altered = body;
      altered.at(bad * kSegment + 500) ^= 1;
      altered.at((kSegments - 1) * kSegment + 500) ^= 1;
      FloeBody reader(message);
      Bytes out(plaintext.size(), 0);
      size_t read = bad == 0 ? 0 : reader.decrypt(altered, out.data(), out.size(), {threads});
      CHECK_EQ(read, bad * kSegment);
      uint8_t* rest = out.data() + bad * kStep;
      CHECK(std::equal(out.data(), rest, plaintext.data()));
      CHECK(std::all_of(rest, out.data() + out.size(), [](uint8_t byte) { return byte == 0; }));
      CHECK_THROWS_CODE(reader.decrypt(ByteView(altered.data() + read, altered.size() - read), rest,
                                       out.size() - bad * kStep, {threads}),
                        Code::kTampered);
      CHECK(std::all_of(rest, out.data() + out.size(), [](uint8_t byte) { return byte == 0; }));
    }
  }
}

TEST(floe_body_clears_everything_when_the_whole_does_not_hold) {
  Bytes plaintext = sample_bytes(kSegments * kStep);
  FloeMessage message = new_message();
  const Bytes whole = with_header(message, seal(message, plaintext));
  for (unsigned threads : kThreads) {
    Bytes altered = whole, cut = whole, longer = whole;
    altered.at(whole.size() - 20) ^= 1;
    cut.resize(whole.size() - 1);
    longer.resize(whole.size() + 1);
    const std::pair<Bytes, Code> cases[] = {
        {altered, Code::kTampered}, {cut, Code::kTruncated}, {longer, Code::kTampered}};
    for (const auto& each : cases) {
      Bytes out(each.first.size(), 0);
      CHECK_THROWS_CODE(decrypt_floe_body(message, each.first, out.data(), threads), each.second);
      CHECK(std::all_of(out.begin(), out.end(), [](uint8_t byte) { return byte == 0; }));
    }
  }
}

TEST(floe_body_refuses_wrong_lengths_and_work_after_the_end) {
  FloeMessage message = new_message();
  Bytes plaintext = sample_bytes(2 * kStep), out(2 * kSegment);
  FloeBody writer(message);
  CHECK_THROWS_CODE(writer.encrypt(ByteView(plaintext.data(), kStep + 1), false, out.data(), out.size(), {}),
                    Code::kInvalidArgument);
  CHECK_THROWS_CODE(writer.encrypt(plaintext, true, out.data(), out.size() - 1, {}), Code::kInvalidArgument);
  CHECK_EQ(writer.encrypt(plaintext, true, out.data(), out.size(), {}), out.size());
  CHECK_THROWS_CODE(writer.encrypt(plaintext, true, out.data(), out.size(), {}), Code::kKeyUse);

  FloeBody reader(message);
  CHECK_THROWS_CODE(reader.decrypt(out, plaintext.data(), kStep - 1, {}), Code::kInvalidArgument);
  for (size_t length : {size_t{0}, size_t{3}, size_t{kSegment - 1}}) {
    CHECK_EQ(reader.decrypt(ByteView(out.data(), length), plaintext.data(), plaintext.size(), {}), size_t{0});
  }
  CHECK_EQ(reader.decrypt(out, plaintext.data(), plaintext.size(), {}), size_t{kSegment});
  ByteView last(out.data() + kSegment, kSegment);
  CHECK_EQ(reader.decrypt(last, plaintext.data(), kStep, {}), size_t{kSegment});
  CHECK_THROWS_CODE(reader.decrypt(last, plaintext.data(), kStep, {}), Code::kKeyUse);
}

TEST(memory_advice_changes_no_byte) {
  keep_freed_memory();
  keep_freed_memory();
  for (size_t size : {size_t{0}, size_t{1}, size_t{4} << 20, (size_t{9} << 20) + 5}) {
    Bytes bytes = sample_bytes(size);
    prefer_huge_pages(bytes.data(), bytes.size());
    CHECK(bytes == sample_bytes(size));
  }
}

}  // namespace
}  // namespace callseal::test
