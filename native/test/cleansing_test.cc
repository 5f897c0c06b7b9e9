// No freed memory holds a key. AddressSanitizer tells of every block before it is freed, OpenSSL's and the FIPS
// module's too; without it there is nothing to look at.
#include <string.h>

#include <atomic>

#include "envelope.h"
#include "error.h"
#include "floe.h"
#include "scratch.h"
#include "test.h"

extern "C" {
using MallocHook = void (*)(const volatile void*, size_t);
using FreeHook = void (*)(const volatile void*);
int __sanitizer_install_malloc_and_free_hooks(MallocHook, FreeHook) __attribute__((weak));
size_t __sanitizer_get_allocated_size(const volatile void*) __attribute__((weak));
}

namespace callseal::test {
namespace {

constexpr size_t kPatternLength = 32;
uint8_t pattern[kPatternLength];
std::atomic<bool> watching{false};
std::atomic<int> found{0};

void look_into(const volatile void* block) {
  if (!watching || block == nullptr) return;
  const size_t size = __sanitizer_get_allocated_size(block);
  if (memmem(const_cast<const void*>(block), size, pattern, kPatternLength) != nullptr) ++found;
}

// How many blocks held `secret` (32 bytes) when they were freed while `work` ran.
template <typename Work>
int freed_with(ByteView secret, Work&& work) {
  if (__sanitizer_install_malloc_and_free_hooks == nullptr) {
    throw Skip("only AddressSanitizer's hooks show freed memory, and this program is built without");
  }
  static const bool installed =
      __sanitizer_install_malloc_and_free_hooks([](const volatile void*, size_t) {}, look_into) != 0;
  CHECK(installed);
  CHECK_EQ(secret.size(), kPatternLength);
  std::copy(secret.begin(), secret.end(), pattern);
  found = 0;
  watching = true;
  try {
    work();
  } catch (...) {
    watching = false;
    throw;
  }
  watching = false;
  return found;
}

TEST(cleansing_is_seen_when_it_is_missing) {
  Bytes secret = sample_bytes(32, 40);
  CHECK_EQ(freed_with(secret, [&] { Bytes careless(secret); }), 1);
  CHECK_EQ(freed_with(secret, [&] { SecretBytes careful(secret.begin(), secret.end()); }), 0);
}

TEST(secret_key_operations_leave_no_key_in_freed_memory) {
  Bytes secret = sample_bytes(32, 41);
  CHECK_EQ(freed_with(secret,
                      [&] {
                        SecretKey content(KeyUse::kContent, secret);
                        SecretKey copy = content;
                        copy.derive(KeyUse::kMac, sample_bytes(9), sample_bytes(9));
                        uint8_t tag[32];
                        SecretKey(KeyUse::kMac, secret).mac({sample_bytes(100)}, tag);
                        SecretKey gcm(KeyUse::kGcm, secret);
                        gcm.decrypt_gcm(gcm.encrypt_gcm(sample_bytes(100), {}), {});
                        CHECK_THROWS_CODE(gcm.decrypt_gcm(sample_bytes(100), {}), Code::kTampered);
                        SecretKey wrap(KeyUse::kWrap, secret);
                        wrap.unwrap_key(wrap.wrap_key(SecretKey(KeyUse::kGcm, sample_bytes(32))), KeyUse::kGcm);
                        CHECK_THROWS_CODE(wrap.unwrap_key(sample_bytes(40), KeyUse::kGcm), Code::kTampered);
                      }),
           0);
}

TEST(wrapped_and_unwrapped_keys_are_not_left_in_freed_memory) {
  Bytes secret = sample_bytes(32, 42);
  PrivateKey key = PrivateKey::generate(2048);
  CHECK_EQ(freed_with(secret,
                      [&] {
                        Bytes wrapped(256);
                        key.public_key()->wrap(SecretKey(KeyUse::kContent, secret), wrapped.data());
                        key.unwrap(wrapped);
                        SecretKey wrapping(KeyUse::kWrap, sample_bytes(32));
                        wrapping.unwrap_key(wrapping.wrap_key(SecretKey(KeyUse::kGcm, secret)), KeyUse::kGcm);
                      }),
           0);
}

TEST(floe_leaves_no_key_in_freed_memory) {
  Bytes secret = sample_bytes(32, 43), aad = sample_bytes(48), plaintext = sample_bytes(5000);
  CHECK_EQ(freed_with(secret,
                      [&] {
                        SecretKey key(KeyUse::kFloe, secret);
                        FloeMessage message = FloeMessage::create(key, aad, 1024, 1);
                        Bytes body(message.encrypted_length(plaintext.size())), out(body.size());
                        std::copy(message.header().begin(), message.header().end(), body.data());
                        encrypt_floe_body(message, plaintext, body.data() + kFloeHeaderLength);
                        FloeMessage opened =
                            FloeMessage::open(key, aad, ByteView(body.data(), kFloeHeaderLength), false, 1);
                        decrypt_floe_body(opened, body, out.data());
                      }),
           0);
}

TEST(derived_keys_are_not_left_in_freed_memory) {
  SecretKey content(KeyUse::kContent, sample_bytes(32, 44));
  Bytes derived = content.derive(KeyUse::kFloe, sample_bytes(9), sample_bytes(9)).bytes_for(KeyUse::kFloe).copy();
  CHECK_EQ(freed_with(derived, [&] { content.derive(KeyUse::kFloe, sample_bytes(9), sample_bytes(9)); }), 0);
}

}  // namespace
}  // namespace callseal::test
