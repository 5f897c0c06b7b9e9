// ASN.1 as a tree that can be taken apart and put together again.
#pragma once

#include <optional>
#include <vector>

#include "bytes.h"

namespace callseal::fuzz {

struct DerNode {
  enum class Length { kShortest, kIndefinite, kLonger, kLie };

  uint8_t identifier = 0;
  Length length = Length::kShortest;
  uint64_t lie = 0;  // what is said of the length, for kLie
  Bytes content;     // of a primitive element; before the children, the count of unused bits of a BIT STRING
  std::vector<DerNode> children;
};

// The elements that `bytes` consists of; none when they are not elements, or nest deeper than 24. Octet and bit strings
// that hold elements have these as children.
std::optional<std::vector<DerNode>> parse_der(ByteView bytes, int depth = 0);

Bytes write_der(const std::vector<DerNode>& nodes);

}  // namespace callseal::fuzz
