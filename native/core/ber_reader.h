// BER (X.690) element by element from a source of any length: what is large is handed on in pieces, what is small is
// captured whole for OpenSSL's decoders.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "byte_source.h"

namespace callseal {

struct BerHeader {
  // First octet: class, constructed bit and tag number, which is below 31.
  uint8_t identifier = 0;
  // None: the length is indefinite, and the element is constructed.
  std::optional<uint64_t> length;
  // As they were read.
  std::array<uint8_t, 10> octets{};
  size_t size = 0;
};

// kTruncated where the source ends inside an element; kTampered where the bytes break a rule of BER, or nest deeper
// than kMaxDepth.
class BerReader {
 public:
  static constexpr size_t kMaxDepth = 16;

  // The source outlives the reader.
  explicit BerReader(ByteSource& source);

  // The header of the next element inside the innermost one entered; none at its end. Outside all: none at the end of
  // the source.
  std::optional<BerHeader> next();
  // Goes into a constructed element whose header was read last.
  void enter(const BerHeader& header);
  // Goes out again, at the end of its content; kTampered when there is more.
  void leave();
  // Content of a primitive element, as often as it takes.
  void read(uint8_t* out, size_t length);
  // Appends the whole element to `out`, which must not become longer than `most`.
  void capture(const BerHeader& header, Bytes& out, size_t most);
  // kTampered, with the place.
  [[noreturn]] void refuse(const std::string& what) const;

 private:
  struct Frame {
    bool indefinite;
    bool ended;      // its end-of-contents octets were read
    uint64_t limit;  // where it ends at the latest
  };

  uint64_t limit() const { return frames_.empty() ? UINT64_MAX : frames_.back().limit; }
  bool fill();
  uint8_t octet();
  void take_length(BerHeader& header);
  void append(Bytes& out, ByteView bytes, size_t most) const;

  ByteSource& source_;
  Bytes buffer_;
  size_t from_ = 0;
  size_t to_ = 0;
  uint64_t position_ = 0;
  std::vector<Frame> frames_;
};

}  // namespace callseal
