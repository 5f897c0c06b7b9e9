// SHA-256 of bytes at hand.
#pragma once

#include <array>

#include "bytes.h"

namespace callseal {

using Sha256 = std::array<uint8_t, 32>;

Sha256 sha256(ByteView bytes);

}  // namespace callseal
