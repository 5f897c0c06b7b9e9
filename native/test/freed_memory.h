// Looks for a secret in memory that is freed. AddressSanitizer shows every block before it goes, OpenSSL's and the
// crypto module's too; without it there is nothing to look at.
#pragma once

#include <string.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "bytes.h"
#include "test.h"

extern "C" {
int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, size_t), void (*)(const volatile void*))
    __attribute__((weak));
size_t __sanitizer_get_allocated_size(const volatile void*) __attribute__((weak));
}

namespace callseal::test {

constexpr size_t kFreedPatternLength = 16;

struct FreedMemory {
  std::array<uint8_t, kFreedPatternLength> pattern{};
  std::atomic<bool> watching{false};
  std::atomic<int> found{0};
};

inline FreedMemory& freed_memory() {
  static FreedMemory instance;
  return instance;
}

inline void look_into_freed_block(const volatile void* block) {
  FreedMemory& state = freed_memory();
  if (!state.watching || block == nullptr) return;
  size_t size = __sanitizer_get_allocated_size(block);
  if (memmem(const_cast<const void*>(block), size, state.pattern.data(), kFreedPatternLength) != nullptr) state.found++;
}

// There are places for five pairs of hooks in a process: one for all tests.
inline void watch_freed_memory() {
  if (__sanitizer_install_malloc_and_free_hooks == nullptr) {
    throw Skip("only AddressSanitizer shows freed memory, and this program is built without");
  }
  static const bool installed =
      __sanitizer_install_malloc_and_free_hooks([](const volatile void*, size_t) {}, look_into_freed_block) != 0;
  CHECK(installed);
}

// How many blocks held the first 16 bytes of `secret` when they were freed while `work` ran.
template <typename Work>
int freed_blocks_with(ByteView secret, Work&& work) {
  watch_freed_memory();
  FreedMemory& state = freed_memory();
  CHECK(secret.size() >= kFreedPatternLength);
  std::copy_n(secret.begin(), kFreedPatternLength, state.pattern.begin());
  state.found = 0;
  state.watching = true;
  try {
    work();
  } catch (...) {
    state.watching = false;
    throw;
  }
  state.watching = false;
  return state.found;
}

}  // namespace callseal::test
