// Reading and writing key files leaves neither key nor passphrase in freed memory.
#include <openssl/core_names.h>

#include "error.h"
#include "freed_memory.h"
#include "key_file.h"
#include "openssl_folder.h"
#include "test.h"

namespace callseal::test {
namespace {

constexpr char kPassphrase[] = "a passphrase of more than sixteen bytes";

const OpensslFolder& folder() {
  static const OpensslFolder instance;
  static const bool made = [] {
    instance.write_text("pass.txt", kPassphrase);
    instance.run("openssl genrsa -out pkcs8.pem 2048");
    instance.run("openssl rsa -in pkcs8.pem -traditional -out pkcs1.pem");
    instance.run("openssl pkcs8 -topk8 -v2 des3 -in pkcs8.pem -passout file:pass.txt -out pbes2.pem");
    instance.run("openssl pkcs8 -topk8 -scrypt -in pkcs8.pem -passout file:pass.txt -outform DER -out scrypt.der");
    instance.run("openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in pkcs8.pem -passout file:pass.txt -out pbes1.pem");
    instance.run("openssl rsa -in pkcs8.pem -traditional -aes256 -passout file:pass.txt -out dek-info.pem");
    instance.run("openssl pkcs12 -export -inkey pkcs8.pem -nocerts -passout file:pass.txt -out key.p12");
    return true;
  }();
  (void)made;
  return instance;
}

Passphrase passphrase() {
  return Passphrase::from_bytes(ByteView::of(kPassphrase));
}

// The private exponent as the module gives it: in the machine's byte order.
SecretBytes native_exponent(const PrivateKey& key) {
  SecretBytes exponent(key.public_key()->modulus_bytes());
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_D, exponent.data(), exponent.size()),
                             OSSL_PARAM_construct_end()};
  CHECK(EVP_PKEY_get_params(key.pkey(), parameters) == 1);
  return exponent;
}

// Runs `work` once to look for each form the secrets take in memory.
template <typename Work>
void check_leaves_nothing(const PrivateKey& key, Work&& work) {
  SecretBytes number = native_exponent(key);
  SecretBytes der(number.rbegin(), number.rend());
  CHECK_EQ(freed_blocks_with(ByteView(number.data() + 64, 32), work), 0);
  CHECK_EQ(freed_blocks_with(ByteView(der.data() + 64, 32), work), 0);
  CHECK_EQ(freed_blocks_with(ByteView::of(kPassphrase), work), 0);
}

TEST(key_cleansing_is_seen_when_it_is_missing) {
  PrivateKey key = load_private_key(folder().path("pkcs8.pem"), nullptr);
  SecretBytes number = native_exponent(key);
  CHECK_EQ(freed_blocks_with(ByteView(number.data() + 64, 32), [&] { Bytes careless(number.begin(), number.end()); }),
           1);
  CHECK_EQ(freed_blocks_with(ByteView::of(kPassphrase), [&] { std::string careless(kPassphrase); }), 1);
}

TEST(key_cleansing_after_loading_every_form) {
  Passphrase right = passphrase();
  for (const char* file :
       {"pkcs8.pem", "pkcs1.pem", "pbes2.pem", "scrypt.der", "pbes1.pem", "dek-info.pem", "key.p12"}) {
    PrivateKey key = load_private_key(folder().path(file), &right);
    check_leaves_nothing(key, [&] { load_private_key(folder().path(file), &right); });
  }
}

TEST(key_cleansing_after_wrapping_and_unwrapping) {
  PrivateKey same = load_private_key(folder().path("pkcs8.pem"), nullptr);
  check_leaves_nothing(same, [&] {
    PrivateKey key = load_private_key(folder().path("pkcs8.pem"), nullptr);
    Bytes wrapped(key.public_key()->modulus_bytes());
    key.public_key()->wrap(SecretKey::generate(KeyUse::kContent), wrapped.data());
    key.unwrap(wrapped);
    key.unwrap(wrapped);
    CHECK_THROWS_CODE(key.unwrap(sample_bytes(wrapped.size())), Code::kTampered);
  });
}

TEST(key_cleansing_after_saving) {
  Passphrase right = passphrase();
  PrivateKey key = load_private_key(folder().path("pkcs8.pem"), nullptr);
  for (const Passphrase* protection :
       {static_cast<const Passphrase*>(nullptr), static_cast<const Passphrase*>(&right)}) {
    check_leaves_nothing(key, [&] {
      remove(folder().path("saved.pem").c_str());
      save_private_key(key, folder().path("saved.pem"), protection);
    });
  }
}

TEST(key_cleansing_after_reading_a_passphrase) {
  CHECK_EQ(freed_blocks_with(ByteView::of(kPassphrase),
                             [] {
                               Passphrase from_file = Passphrase::from_file(folder().path("pass.txt"));
                               Passphrase copy = from_file;
                             }),
           0);
}

}  // namespace
}  // namespace callseal::test
