// Memory for a block of a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "bytes.h"

namespace callseal {

// Bytes that each thread keeps for its next block: fresh memory costs a page fault every 4 KiB, which is more than
// encrypting it. Not initialised. A block lives and dies on one thread.
class Block {
 public:
  explicit Block(size_t size);
  ~Block();
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  uint8_t* data() { return memory_.get(); }
  size_t size() const { return size_; }
  ByteView first(size_t length) const { return ByteView(memory_.get(), length); }

 private:
  std::unique_ptr<uint8_t[]> memory_;
  size_t capacity_;
  size_t size_;
};

// The same for what is secret: cleared at the end.
class SecretBlock : public Block {
 public:
  using Block::Block;
  ~SecretBlock();
};

}  // namespace callseal
