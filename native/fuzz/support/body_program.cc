#include "body_program.h"

#include "error.h"

namespace callseal::fuzz {
namespace {

constexpr size_t kMaxSegments = 12;
constexpr size_t kMark = 4;

size_t number(const uint8_t* bytes) {
  return size_t{bytes[0]} << 8 | bytes[1];
}

uint64_t index_for(uint64_t own, uint8_t choice) {
  const uint64_t indexes[] = {own, own + 1, 0, own ^ 1};
  return indexes[choice & 3];
}

uint32_t mark_for(uint8_t value, size_t length) {
  const uint32_t known[] = {0, 0xFFFFFFFF, 31, 32, 0x80000000, static_cast<uint32_t>(length - 1)};
  return value < std::size(known) ? known[value] : static_cast<uint32_t>(length) + value;
}

void append_segment(Bytes& body, const FloeMessage& message, uint64_t own_index, const uint8_t* command) {
  const uint8_t form = command[0];
  const bool final = (form & 1) != 0;
  const size_t full = message.plaintext_length();
  Bytes plaintext(final ? number(command + 2) % (full + 1) : full, static_cast<uint8_t>(own_index + 1));
  Bytes segment(plaintext.size() + kFloeSegmentOverhead);
  FloeCipher(message).encrypt(index_for(own_index, form >> 3), final, plaintext, segment.data());
  if ((form & 2) != 0) segment[kMark + number(command + 2) % (segment.size() - kMark)] ^= 1;
  if ((form & 4) != 0) put_u32be(segment.data(), mark_for(command[1], segment.size()));
  append(body, segment);
}

// Reads one segment from the front of `rest`; false at one that is cut or not authentic, which `reading` then says.
bool read_segment(FloeCipher& cipher, const FloeMessage& message, ByteView rest, BodyReading& reading, FloeMark& mark) {
  reading.end = BodyEnd::kTruncated;
  if (rest.size() < kMark) return false;
  Bytes plaintext;
  try {
    mark = read_floe_mark(rest.data(), message.segment_length());
    if (mark.length > rest.size()) return false;
    plaintext.resize(mark.length - kFloeSegmentOverhead);
    cipher.decrypt(reading.segments, mark.final, rest.subview(0, mark.length), plaintext.data());
  } catch (const Error&) {
    reading.end = BodyEnd::kDamaged;
    return false;
  }
  append(reading.plaintext, plaintext);
  ++reading.segments;
  reading.offset += mark.length;
  return true;
}

BodyEnd closing_of(const BodyReading& reading, ByteView rest, const FileSignature* signature) {
  const size_t length = signature != nullptr ? signature->closing_length() : 0;
  if (rest.size() < length) return BodyEnd::kClosingCut;
  try {
    if (signature != nullptr) signature->verify_closing(rest.subview(0, length), reading.summary);
  } catch (const Error&) {
    return BodyEnd::kClosingWrong;
  }
  return rest.size() == length ? BodyEnd::kComplete : BodyEnd::kTrailing;
}

}  // namespace

BodyProgram::BodyProgram(ByteView input, const FloeMessage& message, const SignedFile& file) {
  const uint8_t options = input.data()[0];
  const size_t amount = number(input.data() + 1);
  signed_by_writer = (options & 1) != 0;
  piece = size_t{input.data()[3]} * 16 + 1;
  uint64_t index = 0;
  for (size_t at = 4; at + 4 <= input.size() && index < kMaxSegments; at += 4) {
    append_segment(bytes, message, index++, input.data() + at);
  }
  if (signed_by_writer) {
    BodySummary summary = read(message, nullptr).summary;
    if ((options & 8) != 0) summary.segments += 1;
    append(bytes, file.closing_block(summary));
  }
  if ((options & 2) != 0) bytes.resize(bytes.size() - std::min(amount, bytes.size()));
  if ((options & 4) != 0) bytes.resize(bytes.size() + amount % 4096, static_cast<uint8_t>(amount));
}

BodyReading BodyProgram::read(const FloeMessage& message, const FileSignature* signature) const {
  BodyReading reading;
  FloeCipher cipher(message);
  BodyDigest digest;
  FloeMark mark{};
  do {
    const size_t from = reading.offset;
    const ByteView rest(bytes.data() + from, bytes.size() - from);
    if (!read_segment(cipher, message, rest, reading, mark)) return reading;
    digest.add(segment_digests(rest.subview(0, mark.length), mark.length));
    reading.summary = digest.summary();
  } while (!mark.final);
  const ByteView rest(bytes.data() + reading.offset, bytes.size() - reading.offset);
  reading.end = closing_of(reading, rest, signature);
  return reading;
}

}  // namespace callseal::fuzz
