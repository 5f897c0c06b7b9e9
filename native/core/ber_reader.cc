#include "ber_reader.h"

#include "error.h"

namespace callseal {
namespace {

constexpr size_t kBufferLength = size_t{64} << 10;
constexpr uint8_t kConstructed = 0x20;
constexpr uint8_t kHighTag = 0x1F;
constexpr uint8_t kIndefinite = 0x80;
constexpr size_t kMaxLengthOctets = 8;

}  // namespace

BerReader::BerReader(ByteSource& source) : source_(source), buffer_(kBufferLength) {}

void BerReader::refuse(const std::string& what) const {
  throw Error(Code::kTampered, "byte " + std::to_string(position_) + ": " + what);
}

bool BerReader::fill() {
  if (from_ < to_) return true;
  from_ = 0;
  to_ = source_.read(buffer_.data(), buffer_.size());
  return to_ > 0;
}

void BerReader::read(uint8_t* out, size_t length) {
  if (length > limit() - position_) refuse("an element is longer than what holds it");
  while (length > 0) {
    if (!fill()) throw Error(Code::kTruncated, "the message ends at byte " + std::to_string(position_));
    const size_t part = std::min(length, to_ - from_);
    std::copy_n(buffer_.data() + from_, part, out);
    from_ += part;
    position_ += part;
    out += part;
    length -= part;
  }
}

uint8_t BerReader::octet() {
  uint8_t value = 0;
  read(&value, 1);
  return value;
}

std::optional<BerHeader> BerReader::next() {
  if (frames_.empty() && !fill()) return std::nullopt;
  if (!frames_.empty()) {
    const Frame& frame = frames_.back();
    if (frame.ended || (!frame.indefinite && position_ == frame.limit)) return std::nullopt;
  }
  BerHeader header;
  header.identifier = octet();
  header.octets[header.size++] = header.identifier;
  if (header.identifier == 0) {
    if (frames_.empty() || !frames_.back().indefinite || octet() != 0) refuse("an end without a beginning");
    frames_.back().ended = true;
    return std::nullopt;
  }
  if ((header.identifier & kHighTag) == kHighTag) refuse("a tag that no CMS message has");
  take_length(header);
  return header;
}

void BerReader::take_length(BerHeader& header) {
  const uint8_t first = header.octets[header.size++] = octet();
  if (first == kIndefinite) {
    if ((header.identifier & kConstructed) == 0) refuse("an indefinite length where none can be");
    return;
  }
  uint64_t length = first;
  if (first > kIndefinite) {
    const size_t count = first - kIndefinite;
    if (count > kMaxLengthOctets) refuse("an impossible length");
    length = 0;
    for (size_t i = 0; i < count; ++i) {
      const uint8_t value = octet();
      header.octets[header.size++] = value;
      length = length << 8 | value;
    }
  }
  if (length > limit() - position_) refuse("an element is longer than what holds it");
  header.length = length;
}

void BerReader::enter(const BerHeader& header) {
  if (frames_.size() == kMaxDepth) refuse("elements nest too deep");
  if (header.length.has_value()) {
    frames_.push_back({false, false, position_ + *header.length});
  } else {
    frames_.push_back({true, false, limit()});
  }
}

void BerReader::leave() {
  if (next().has_value()) refuse("something that no CMS message has there");
  frames_.pop_back();
}

void BerReader::append(Bytes& out, ByteView bytes, size_t most) const {
  if (bytes.size() > most - out.size()) refuse("a header longer than any that is meant to be read");
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void BerReader::capture(const BerHeader& header, Bytes& out, size_t most) {
  append(out, ByteView(header.octets.data(), header.size), most);
  if (header.length.has_value()) {
    if (*header.length > most - out.size()) refuse("a header longer than any that is meant to be read");
    const size_t start = out.size();
    out.resize(start + static_cast<size_t>(*header.length));
    read(out.data() + start, out.size() - start);
    return;
  }
  static constexpr uint8_t kEnd[] = {0, 0};
  enter(header);
  while (std::optional<BerHeader> inner = next()) capture(*inner, out, most);
  append(out, kEnd, most);
  leave();
}

}  // namespace callseal
