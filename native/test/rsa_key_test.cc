#include "rsa_key.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <atomic>
#include <thread>
#include <vector>

#include "error.h"
#include "module.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {
namespace {

constexpr SignatureScheme kSchemes[] = {SignatureScheme::kPssSha256, SignatureScheme::kPkcs1Sha256};

SecretKey content_key(uint32_t seed = 1) {
  return SecretKey(KeyUse::kContent, sample_bytes(32, seed));
}

Bytes bytes_of(const SecretKey& key) {
  return key.bytes_for(key.use()).copy();
}

// Two keys for all tests: making one takes a while.
const PrivateKey& key_one() {
  static const PrivateKey key = PrivateKey::generate(2048);
  return key;
}
const PrivateKey& key_two() {
  static const PrivateKey key = PrivateKey::generate(2048);
  return key;
}

Bytes wrap(const PublicKey& key, const SecretKey& content) {
  Bytes wrapped(key.modulus_bytes());
  key.wrap(content, wrapped.data());
  return wrapped;
}

Bytes encode_spki(EVP_PKEY* key) {
  uint8_t* der = nullptr;
  int length = i2d_PUBKEY(key, &der);
  CHECK(length > 0);
  Bytes spki(der, der + length);
  OPENSSL_free(der);
  return spki;
}

// OAEP in the default provider, with any hash, label and length.
Bytes reference_oaep(EVP_PKEY* key, const char* digest, const Bytes& label, const Bytes& plaintext) {
  Bytes spki = encode_spki(key);
  const uint8_t* cursor = spki.data();
  PkeyPtr copy(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(spki.size())));
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, copy.get(), nullptr));
  CHECK(EVP_PKEY_encrypt_init(context.get()) == 1);
  CHECK(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1);
  CHECK(EVP_PKEY_CTX_set_rsa_oaep_md_name(context.get(), digest, nullptr) == 1);
  CHECK(EVP_PKEY_CTX_set_rsa_mgf1_md_name(context.get(), digest, nullptr) == 1);
  if (!label.empty()) {
    auto* owned = static_cast<uint8_t*>(OPENSSL_memdup(label.data(), label.size()));
    CHECK(EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), owned, static_cast<int>(label.size())) == 1);
  }
  Bytes out(256);
  size_t length = out.size();
  CHECK(EVP_PKEY_encrypt(context.get(), out.data(), &length, plaintext.data(), plaintext.size()) == 1);
  out.resize(length);
  return out;
}

// An RSA public key of 2048 bits with any exponent; its modulus is key one's.
PkeyPtr with_exponent(unsigned long exponent) {
  BIGNUM* n = nullptr;
  CHECK(EVP_PKEY_get_bn_param(key_one().pkey(), OSSL_PKEY_PARAM_RSA_N, &n) == 1);
  BignumPtr modulus(n), e(BN_new());
  BN_set_word(e.get(), exponent);
  OpensslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  OpensslPtr<OSSL_PARAM, OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(builder.get()));
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* key = nullptr;
  CHECK(EVP_PKEY_fromdata_init(context.get()) == 1);
  CHECK(EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) == 1);
  return PkeyPtr(key);
}

TEST(rsa_keys_of_all_sizes_wrap_and_sign) {
  for (int bits : {2048, 3072, 4096}) {
    PrivateKey key = PrivateKey::generate(bits);
    CHECK_EQ(key.public_key()->bits(), bits);
    CHECK_EQ(key.public_key()->algorithm(), std::string("RSA"));
    CHECK_EQ(key.public_key()->modulus_bytes(), static_cast<size_t>(bits / 8));
    CHECK(key.unwrapped_outside().empty());
    SecretKey opened = key.unwrap(wrap(*key.public_key(), content_key()));
    CHECK(opened.use() == KeyUse::kContent);
    CHECK(bytes_of(opened) == sample_bytes(32));
    for (SignatureScheme scheme : kSchemes) {
      Bytes signature = key.sign(scheme, sample_bytes(100));
      CHECK_EQ(signature.size(), static_cast<size_t>(bits / 8));
      CHECK(key.public_key()->verify(scheme, sample_bytes(100), signature));
    }
  }
}

TEST(rsa_keys_of_other_sizes_are_not_made) {
  for (int bits : {-1, 0, 1, 1024, 2047, 2056, 8192, 65536}) {
    CHECK_THROWS_CODE(PrivateKey::generate(bits), Code::kInvalidArgument);
  }
}

TEST(rsa_wraps_differently_every_time) {
  CHECK(wrap(*key_one().public_key(), content_key()) != wrap(*key_one().public_key(), content_key()));
}

TEST(rsa_wraps_content_keys_only) {
  Bytes out(256);
  for (KeyUse use : {KeyUse::kMac, KeyUse::kFloe, KeyUse::kGcm, KeyUse::kWrap}) {
    CHECK_THROWS_CODE(key_one().public_key()->wrap(SecretKey(use, sample_bytes(32)), out.data()), Code::kKeyUse);
  }
}

TEST(rsa_unwraps_what_another_implementation_wrapped) {
  Bytes wrapped = reference_oaep(key_one().pkey(), "SHA256", {}, sample_bytes(32));
  SecretKey opened = key_one().unwrap(wrapped);
  CHECK(bytes_of(*key_one().try_unwrap(wrapped)) == sample_bytes(32));
  CHECK(bytes_of(opened) == sample_bytes(32));
}

TEST(rsa_answers_every_bad_wrapping_alike) {
  const PrivateKey& key = key_one();
  Bytes wrapped = wrap(*key.public_key(), content_key());
  std::vector<Bytes> bad = {wrap(*key_two().public_key(), content_key()),
                            Bytes(256, 0),
                            Bytes(256, 0xFF),  // not below the modulus
                            sample_bytes(256),
                            {},
                            Bytes(wrapped.begin(), wrapped.end() - 1),
                            reference_oaep(key.pkey(), "SHA1", {}, sample_bytes(32)),
                            reference_oaep(key.pkey(), "SHA256", sample_bytes(3), sample_bytes(32)),
                            reference_oaep(key.pkey(), "SHA256", {}, sample_bytes(31)),
                            reference_oaep(key.pkey(), "SHA256", {}, sample_bytes(33)),
                            reference_oaep(key.pkey(), "SHA256", {}, {})};
  Bytes longer = wrapped;
  longer.insert(longer.begin(), 0);
  bad.push_back(longer);
  for (size_t i = 0; i < wrapped.size(); i += 15) {
    bad.push_back(wrapped);
    bad.back()[i] ^= 1;
  }
  for (const Bytes& bytes : bad) {
    CHECK(!key.try_unwrap(bytes).has_value());
    Error error = CHECK_THROWS_CODE(key.unwrap(bytes), Code::kTampered);
    CHECK_EQ(std::string(error.what()), "the wrapped key does not open with the private key it was made for");
    CHECK(error.causes().empty());
  }
}

TEST(rsa_keys_serve_many_threads_good_wrappings_and_bad) {
  const PublicKey& key = *key_one().public_key();
  std::atomic<int> right{0}, refused{0};
  std::vector<std::thread> threads;
  for (uint32_t seed = 1; seed <= 4; ++seed) {
    threads.emplace_back([&, seed] {
      for (int round = 0; round < 10; ++round) {
        Bytes wrapped = wrap(key, content_key(seed));
        if (bytes_of(key_one().unwrap(wrapped)) == bytes_of(content_key(seed))) ++right;
        wrapped[100] ^= 1;
        try {
          key_one().unwrap(wrapped);
        } catch (const Error& error) {
          if (error.code() == Code::kTampered) ++refused;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(right.load(), 40);
  CHECK_EQ(refused.load(), 40);
}

TEST(rsa_signatures_hold_for_one_key_scheme_and_message) {
  const Bytes data = sample_bytes(1000);
  for (SignatureScheme scheme : kSchemes) {
    const SignatureScheme other =
        scheme == SignatureScheme::kPssSha256 ? SignatureScheme::kPkcs1Sha256 : SignatureScheme::kPssSha256;
    const PublicKey& key = *key_one().public_key();
    Bytes signature = key_one().sign(scheme, data);
    CHECK(key.verify(scheme, data, signature));
    CHECK(!key.verify(other, data, signature));
    CHECK(!key_two().public_key()->verify(scheme, data, signature));
    CHECK(!key.verify(scheme, sample_bytes(1000, 2), signature));
    CHECK(!key.verify(scheme, {}, signature));
    CHECK(!key.verify(scheme, data, {}));
    CHECK(!key.verify(scheme, data, ByteView(signature.data(), signature.size() - 1)));
    Bytes longer = signature;
    longer.push_back(0);
    CHECK(!key.verify(scheme, data, longer));
    CHECK(!key.verify(scheme, data, Bytes(256, 0xFF)));
    for (size_t i = 0; i < signature.size(); i += 17) {
      Bytes changed = signature;
      changed[i] ^= 1;
      CHECK(!key.verify(scheme, data, changed));
    }
  }
}

TEST(rsa_signs_nothing_too) {
  for (SignatureScheme scheme : kSchemes) {
    CHECK(key_one().public_key()->verify(scheme, {}, key_one().sign(scheme, {})));
  }
}

TEST(rsa_pss_salts_are_as_long_as_the_hash) {
  // Two salts, two signatures; PKCS#1 v1.5 has none.
  const Bytes data = sample_bytes(10);
  CHECK(key_one().sign(SignatureScheme::kPssSha256, data) != key_one().sign(SignatureScheme::kPssSha256, data));
  CHECK(key_one().sign(SignatureScheme::kPkcs1Sha256, data) == key_one().sign(SignatureScheme::kPkcs1Sha256, data));
  // A verifier of the default provider that insists on 32 bytes accepts.
  Bytes signature = key_one().sign(SignatureScheme::kPssSha256, data), spki = encode_spki(key_one().pkey());
  const uint8_t* cursor = spki.data();
  PkeyPtr copy(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(spki.size())));
  DigestCtxPtr context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* operation = nullptr;
  CHECK(EVP_DigestVerifyInit_ex(context.get(), &operation, "SHA256", nullptr, nullptr, copy.get(), nullptr) == 1);
  CHECK(EVP_PKEY_CTX_set_rsa_padding(operation, RSA_PKCS1_PSS_PADDING) == 1);
  CHECK(EVP_PKEY_CTX_set_rsa_pss_saltlen(operation, 32) == 1);
  CHECK(EVP_DigestVerify(context.get(), signature.data(), signature.size(), data.data(), data.size()) == 1);
}

TEST(weak_rsa_keys_are_described_but_not_wrapped_for) {
  PublicKey weak(PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", size_t{1024})));
  CHECK_EQ(weak.bits(), 1024);
  CHECK_EQ(weak.algorithm(), std::string("RSA"));
  Bytes out(1024);
  Error error = CHECK_THROWS_CODE(weak.wrap(content_key(), out.data()), Code::kNotApproved);
  CHECK_CONTAINS(error.what(), "RSA of 1024 bits");
}

TEST(rsa_keys_with_bad_exponents_are_not_wrapped_for) {
  Bytes out(256);
  for (unsigned long exponent : {1ul, 3ul, 17ul, 65535ul, 65536ul, 65538ul}) {
    PublicKey key(with_exponent(exponent));
    CHECK_EQ(key.bits(), 2048);
    Error error = CHECK_THROWS_CODE(key.wrap(content_key(), out.data()), Code::kNotApproved);
    CHECK_CONTAINS(error.what(), "exponent");
  }
  PublicKey usual(with_exponent(65537));
  CHECK(bytes_of(key_one().unwrap(wrap(usual, content_key()))) == sample_bytes(32));
  PublicKey(with_exponent(65539)).wrap(content_key(), out.data());
}

TEST(other_keys_are_described_but_not_used) {
  Bytes out(1024);
  struct Sample {
    const char* algorithm;
    PkeyPtr key;
    int bits;
  };
  Sample samples[] = {{"EC", PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")), 256},
                      {"ED25519", PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")), 256},
                      {"X25519", PkeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")), 253}};
  for (Sample& sample : samples) {
    PublicKey key(std::move(sample.key));
    CHECK_EQ(key.algorithm(), std::string(sample.algorithm));
    CHECK_EQ(key.bits(), sample.bits);
    CHECK_THROWS_CODE(key.wrap(content_key(), out.data()), Code::kNotApproved);
    CHECK_THROWS_CODE(key.verify(SignatureScheme::kPssSha256, {}, out), Code::kNotApproved);
  }
}

TEST(public_keys_are_known_by_their_spki_hash) {
  const PublicKey& key = *key_one().public_key();
  Bytes spki = encode_spki(key_one().pkey());
  Sha256 expected;
  CHECK(EVP_Q_digest(nullptr, "SHA256", nullptr, spki.data(), spki.size(), expected.data(), nullptr) == 1);
  CHECK(key.spki_sha256() == expected);
  CHECK(key_two().public_key()->spki_sha256() != expected);
}

TEST(public_keys_are_written_as_pem) {
  std::string pem = key_one().public_key()->to_pem();
  BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PkeyPtr key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  CHECK(key != nullptr);
  CHECK(encode_spki(key.get()) == encode_spki(key_one().pkey()));
  CHECK(pem.find("PRIVATE") == std::string::npos);
}

TEST(rsa_work_happens_in_the_module) {
  const OSSL_PROVIDER* provider = EVP_PKEY_get0_provider(key_one().pkey());
  const std::string expected = Module::get().mode() == FipsMode::kRequired ? "fips" : "default";
  CHECK_EQ(std::string(OSSL_PROVIDER_get0_name(provider)), expected);
}

}  // namespace
}  // namespace callseal::test
