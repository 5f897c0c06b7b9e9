// Bytes that are read in order, wherever they come from.
#pragma once

#include <algorithm>

#include "bytes.h"

namespace callseal {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Up to `length` bytes, which is not 0. 0 only at the end, and from then on.
  virtual size_t read(uint8_t* out, size_t length) = 0;
};

// Bytes in memory, borrowed, handed out in pieces of at most `piece`.
class MemorySource : public ByteSource {
 public:
  explicit MemorySource(ByteView bytes, size_t piece = SIZE_MAX) : rest_(bytes), piece_(piece) {}

  size_t read(uint8_t* out, size_t length) override {
    const size_t taken = std::min({length, piece_, rest_.size()});
    std::copy(rest_.begin(), rest_.begin() + taken, out);
    rest_ = rest_.subview(taken, rest_.size() - taken);
    return taken;
  }

 private:
  ByteView rest_;
  size_t piece_;
};

}  // namespace callseal
