#include "allocation_faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include <atomic>

namespace callseal::test {
namespace {

std::atomic<bool> active{false};
std::atomic<long> seen{0};
std::atomic<long> failing{0};

bool refused() {
  if (!active || ++seen != failing) return false;
  errno = ENOMEM;
  return true;
}

void* openssl_malloc(size_t length, const char*, int) {
  return refused() ? nullptr : malloc(length);
}
void* openssl_realloc(void* block, size_t length, const char*, int) {
  return refused() ? nullptr : realloc(block, length);
}
void openssl_free(void* block, const char*, int) {
  free(block);
}

// Before OpenSSL has allocated anything.
[[maybe_unused]] const bool replaced = [] {
  if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1) return true;
  abort();
}();

void* allocate(size_t length) {
  void* block = refused() ? nullptr : malloc(length == 0 ? 1 : length);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

AllocationFault::AllocationFault(long nth) {
  seen = 0;
  failing = nth;
  active = true;
}
AllocationFault::~AllocationFault() {
  active = false;
}
bool AllocationFault::happened() const {
  return seen >= failing;
}

// isolation.cc asks to whom libcrypto's memory functions belong, and would not work with ours.
bool is_ours(const void* address) {
  return address == reinterpret_cast<const void*>(&openssl_malloc);
}

}  // namespace callseal::test

extern "C" int dladdr(const void* address, Dl_info* info) noexcept {
  static auto* real = reinterpret_cast<int (*)(const void*, Dl_info*)>(dlsym(RTLD_NEXT, "dladdr"));
  return real(callseal::test::is_ours(address) ? reinterpret_cast<const void*>(&EVP_EncryptUpdate) : address, info);
}

void* operator new(size_t length) {
  return callseal::test::allocate(length);
}
void* operator new[](size_t length) {
  return callseal::test::allocate(length);
}
void operator delete(void* block) noexcept {
  free(block);
}
void operator delete[](void* block) noexcept {
  free(block);
}
void operator delete(void* block, size_t) noexcept {
  free(block);
}
void operator delete[](void* block, size_t) noexcept {
  free(block);
}
