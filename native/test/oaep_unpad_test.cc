// OAEP decoding of what a token's plain RSA gives.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "oaep_unpad.h"

#include <openssl/rsa.h>

#include "error.h"
#include "freed_memory.h"
#include "module.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {
namespace {

constexpr size_t kModulus = 256;

// What RSA would encrypt, made by OpenSSL. Its first byte is zero.
Bytes encode(const Bytes& message, ByteView label = {}) {
  const EVP_MD* hash = Module::get().sha256();
  Bytes encoded(kModulus);
  CHECK(RSA_padding_add_PKCS1_OAEP_mgf1(encoded.data(), kModulus, message.data(), static_cast<int>(message.size()),
                                        label.data(), static_cast<int>(label.size()), hash, hash) == 1);
  return encoded;
}

TEST(oaep_unpad_gives_the_message) {
  for (size_t length : {size_t{0}, size_t{1}, size_t{24}, size_t{32}, kModulus - 2 * 32 - 2}) {
    Bytes message = sample_bytes(length);
    SecretBytes unpadded = unpad_oaep(encode(message), kModulus);
    CHECK(Bytes(unpadded.begin(), unpadded.end()) == message);
  }
}

TEST(oaep_unpad_takes_results_without_leading_zeros) {
  Bytes message = sample_bytes(32);
  Bytes encoded = encode(message);
  SecretBytes unpadded = unpad_oaep(ByteView(encoded).subview(1, kModulus - 1), kModulus);
  CHECK(Bytes(unpadded.begin(), unpadded.end()) == message);
}

TEST(oaep_unpad_has_one_answer_for_everything_else) {
  // A number: without its leading zero bytes it is the same one, so the second byte must not be zero by chance.
  Bytes right = encode(sample_bytes(32));
  while (right[1] == 0) right = encode(sample_bytes(32));
  Error first = CHECK_THROWS_CODE(unpad_oaep(Bytes(kModulus), kModulus), Code::kTampered);
  std::vector<Bytes> wrong{encode(sample_bytes(32), ByteView::of("label")), Bytes(), Bytes(1), Bytes(kModulus + 1),
                           Bytes(right.begin() + 2, right.end())};
  for (size_t i = 0; i < kModulus; i++) {
    wrong.push_back(right);
    wrong.back()[i] ^= 0x80;
  }
  for (const Bytes& encoded : wrong) {
    Error error = CHECK_THROWS_CODE(unpad_oaep(encoded, kModulus), Code::kTampered);
    CHECK_EQ(std::string(error.what()), std::string(first.what()));
    CHECK(error.causes().empty());
  }
}

TEST(oaep_unpad_leaves_nothing_in_freed_memory) {
  Bytes message = sample_bytes(32, 77);
  Bytes encoded = encode(message), altered = encoded;
  altered[40] ^= 1;
  CHECK_EQ(freed_blocks_with(message,
                             [&] {
                               unpad_oaep(encoded, kModulus);
                               CHECK_THROWS_CODE(unpad_oaep(altered, kModulus), Code::kTampered);
                             }),
           0);
}

}  // namespace
}  // namespace callseal::test
