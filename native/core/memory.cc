#include "memory.h"

#include <stdlib.h>
#include <sys/mman.h>

#include <cstdint>
#include <mutex>

namespace callseal {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;
// glibc raises its thresholds (mallopt(3): mmap to this, trim to twice this) when a block of that length, which it had
// mapped, is freed; up to 32 MiB. Setting them with mallopt would also end their adjustment.
constexpr size_t kLargeBlock = size_t{24} << 20;

}  // namespace

void keep_freed_memory() {
  static std::once_flag once;
  std::call_once(once, []() {
    void* volatile block = malloc(kLargeBlock);  // volatile, or the compiler leaves both calls out
    free(block);
  });
}

void prefer_huge_pages(void* data, size_t length) {
  auto address = reinterpret_cast<uintptr_t>(data);
  uintptr_t start = (address + kHugePage - 1) / kHugePage * kHugePage;
  uintptr_t end = (address + length) / kHugePage * kHugePage;
  // Advice: where it is not taken, all works as before.
  if (start < end) madvise(reinterpret_cast<void*>(start), end - start, MADV_HUGEPAGE);
}

}  // namespace callseal
