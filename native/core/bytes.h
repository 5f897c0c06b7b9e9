// Byte spans and a byte vector that clears itself.
#pragma once

#include <openssl/crypto.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace callseal {

// Borrowed, read-only bytes. The owner outlives the call.
class ByteView {
 public:
  constexpr ByteView() = default;
  constexpr ByteView(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  ByteView(const std::vector<uint8_t>& bytes) : data_(bytes.data()), size_(bytes.size()) {}
  template <size_t N>
  constexpr ByteView(const uint8_t (&bytes)[N]) : data_(bytes), size_(N) {}

  static ByteView of(std::string_view text) {
    return ByteView(reinterpret_cast<const uint8_t*>(text.data()), text.size());
  }

  constexpr const uint8_t* data() const { return data_; }
  constexpr size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const uint8_t* begin() const { return data_; }
  constexpr const uint8_t* end() const { return data_ + size_; }
  constexpr ByteView subview(size_t offset, size_t length) const { return ByteView(data_ + offset, length); }
  std::vector<uint8_t> copy() const { return std::vector<uint8_t>(begin(), end()); }

 private:
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

using Bytes = std::vector<uint8_t>;

// Borrowed bytes that lie in two places and are meant as one: what a stream holds back, and the chunk that follows it.
class SplitView {
 public:
  SplitView(ByteView head, ByteView rest) : head_(head), rest_(rest) {}
  SplitView(ByteView whole) : rest_(whole) {}
  SplitView(const Bytes& whole) : rest_(whole) {}

  ByteView head() const { return head_; }
  ByteView rest() const { return rest_; }
  size_t size() const { return head_.size() + rest_.size(); }
  SplitView subview(size_t offset, size_t length) const {
    if (offset >= head_.size()) return SplitView(rest_.subview(offset - head_.size(), length));
    const size_t of_head = std::min(length, head_.size() - offset);
    return SplitView(head_.subview(offset, of_head), rest_.subview(0, length - of_head));
  }
  void copy_to(uint8_t* out) const {
    std::copy(rest_.begin(), rest_.end(), std::copy(head_.begin(), head_.end(), out));
  }

 private:
  ByteView head_;
  ByteView rest_;
};

inline void append(Bytes& to, ByteView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// Clears what it hands back, so that a vector that grows or dies leaves no secret in freed memory.
template <typename T>
struct CleansingAllocator {
  using value_type = T;
  CleansingAllocator() = default;
  template <typename U>
  CleansingAllocator(const CleansingAllocator<U>&) {}
  T* allocate(size_t count) { return std::allocator<T>().allocate(count); }
  void deallocate(T* pointer, size_t count) {
    OPENSSL_cleanse(pointer, count * sizeof(T));
    std::allocator<T>().deallocate(pointer, count);
  }
  bool operator==(const CleansingAllocator&) const { return true; }
  bool operator!=(const CleansingAllocator&) const { return false; }
};

// Bytes that must not outlive their use: keys, passphrases, decoded key files.
using SecretBytes = std::vector<uint8_t, CleansingAllocator<uint8_t>>;

inline ByteView view(const SecretBytes& bytes) {
  return ByteView(bytes.data(), bytes.size());
}

// Between big-endian, as DER has integers, and the machine's byte order, as OSSL_PARAM has them.
void swap_big_endian_and_native(SecretBytes& number);

inline void put_u64be(uint8_t* out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) *out++ = static_cast<uint8_t>(value >> shift);
}

inline void put_u32be(uint8_t* out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) *out++ = static_cast<uint8_t>(value >> shift);
}

inline uint32_t get_u32be(const uint8_t* in) {
  return static_cast<uint32_t>(in[0]) << 24 | static_cast<uint32_t>(in[1]) << 16 | static_cast<uint32_t>(in[2]) << 8 |
         in[3];
}

}  // namespace callseal
