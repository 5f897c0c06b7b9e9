#include "block.h"

#include <string.h>

#include <algorithm>
#include <array>
#include <utility>

namespace callseal {
namespace {

// A thread keeps two blocks, for what is read and what is written, of up to 1 MiB each.
constexpr size_t kKeptBlocks = 2;
constexpr size_t kMostKept = size_t{1} << 20;
// Blocks are made in these steps, so that one made for a small file serves many.
constexpr size_t kStep = size_t{1} << 16;

struct Kept {
  std::unique_ptr<uint8_t[]> memory;
  size_t capacity = 0;
};
thread_local std::array<Kept, kKeptBlocks> kept;

}  // namespace

Block::Block(size_t size) : capacity_(0), size_(size) {
  for (Kept& each : kept) {
    if (each.capacity >= size && each.capacity > 0) {
      memory_ = std::move(each.memory);
      capacity_ = std::exchange(each.capacity, 0);
      return;
    }
  }
  capacity_ = (std::max<size_t>(size, 1) + kStep - 1) / kStep * kStep;
  memory_.reset(new uint8_t[capacity_]);
}

Block::~Block() {
  if (capacity_ > kMostKept) return;
  Kept& smallest =
      *std::min_element(kept.begin(), kept.end(), [](const Kept& a, const Kept& b) { return a.capacity < b.capacity; });
  if (smallest.capacity < capacity_) smallest = {std::move(memory_), capacity_};
}

SecretBlock::~SecretBlock() {
  ::explicit_bzero(data(), size());
}

}  // namespace callseal
