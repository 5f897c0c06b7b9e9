#include "secret_key.h"

#include <openssl/evp.h>

#include <functional>
#include <set>

#include "cms_cipher.h"
#include "error.h"
#include "openssl_ptr.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {
namespace {

constexpr KeyUse kUses[] = {KeyUse::kContent, KeyUse::kMac, KeyUse::kFloe, KeyUse::kGcm, KeyUse::kWrap, KeyUse::kCms};

SecretKey sample_key(KeyUse use, uint32_t seed = 1) {
  return SecretKey(use, sample_bytes(32, seed));
}

Bytes bytes_of(const SecretKey& key) {
  return key.bytes_for(key.use()).copy();
}

// The same computations by OpenSSL's one-shot functions in the default provider: other code, other provider.
Bytes reference_hmac(const Bytes& key, const Bytes& data) {
  Bytes tag(32);
  size_t length = 0;
  CHECK(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, key.data(), key.size(), data.data(), data.size(),
                  tag.data(), tag.size(), &length) != nullptr);
  CHECK_EQ(length, size_t{32});
  return tag;
}

Bytes reference_cipher(const char* name, bool encrypt, const Bytes& key, const Bytes& data) {
  CipherPtr cipher(EVP_CIPHER_fetch(nullptr, name, nullptr));
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  Bytes out(data.size() + 16);
  int length = 0;
  CHECK(EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), nullptr, encrypt ? 1 : 0, nullptr) == 1);
  CHECK(EVP_CipherUpdate(context.get(), out.data(), &length, data.data(), static_cast<int>(data.size())) == 1);
  out.resize(static_cast<size_t>(length));
  return out;
}

Bytes reference_gcm_decrypt(const Bytes& key, const Bytes& sealed, const Bytes& aad) {
  CipherPtr cipher(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  Bytes out(sealed.size() - 28 + 1), tag(sealed.end() - 16, sealed.end());
  int length = 0;
  CHECK(EVP_DecryptInit_ex2(context.get(), cipher.get(), key.data(), sealed.data(), nullptr) == 1);
  CHECK(EVP_DecryptUpdate(context.get(), nullptr, &length, aad.data(), static_cast<int>(aad.size())) == 1);
  CHECK(EVP_DecryptUpdate(context.get(), out.data(), &length, sealed.data() + 12,
                          static_cast<int>(sealed.size() - 28)) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1);
  CHECK(EVP_DecryptFinal_ex(context.get(), out.data() + out.size(), &length) == 1);
  out.resize(sealed.size() - 28);
  return out;
}

Bytes flipped(Bytes bytes, size_t offset) {
  bytes.at(offset) ^= 1;
  return bytes;
}

TEST(secret_key_has_32_bytes) {
  for (size_t length : {0, 1, 16, 31, 33, 64}) {
    CHECK_THROWS_CODE(SecretKey(KeyUse::kMac, sample_bytes(length)), Code::kInvalidArgument);
  }
  CHECK(bytes_of(sample_key(KeyUse::kMac)) == sample_bytes(32));
}

TEST(secret_keys_are_generated_afresh) {
  std::set<Bytes> keys;
  for (int i = 0; i < 100; ++i) {
    SecretKey key = SecretKey::generate(kUses[i % std::size(kUses)]);
    CHECK(key.use() == kUses[i % std::size(kUses)]);
    keys.insert(bytes_of(key));
  }
  CHECK_EQ(keys.size(), size_t{100});
}

TEST(secret_key_serves_its_own_purpose_only) {
  uint8_t tag[32];
  SecretKey other = sample_key(KeyUse::kGcm, 9);
  Bytes sealed = sample_key(KeyUse::kGcm).encrypt_gcm(sample_bytes(5), {});
  Bytes wrapped = sample_key(KeyUse::kWrap).wrap_key(other);
  struct Operation {
    KeyUse use;
    std::function<void(const SecretKey&)> run;
  };
  const Operation operations[] = {
      {KeyUse::kContent, [](const SecretKey& key) { key.derive(KeyUse::kMac, {}, {}); }},
      {KeyUse::kContent, [](const SecretKey& key) { key.derive(KeyUse::kFloe, {}, {}); }},
      {KeyUse::kMac, [&](const SecretKey& key) { key.mac({sealed}, tag); }},
      {KeyUse::kMac, [&](const SecretKey& key) { key.verify_mac(sealed, tag); }},
      {KeyUse::kGcm, [](const SecretKey& key) { key.encrypt_gcm({}, {}); }},
      {KeyUse::kGcm, [&](const SecretKey& key) { key.decrypt_gcm(sealed, {}); }},
      {KeyUse::kWrap, [&](const SecretKey& key) { key.wrap_key(other); }},
      {KeyUse::kWrap, [&](const SecretKey& key) { key.unwrap_key(wrapped, KeyUse::kGcm); }},
      {KeyUse::kCms, [](const SecretKey& key) { CmsEncryptor cipher(key); }},
      {KeyUse::kCms, [](const SecretKey& key) { CmsDecryptor cipher(key, {}); }},
  };
  for (const Operation& operation : operations) {
    for (KeyUse use : kUses) {
      SecretKey key = sample_key(use);
      if (use == operation.use) {
        operation.run(key);
      } else {
        CHECK_THROWS_CODE(operation.run(key), Code::kKeyUse);
      }
    }
  }
}

TEST(secret_key_says_which_use_was_wrong) {
  Error error = CHECK_THROWS_CODE(sample_key(KeyUse::kMac).encrypt_gcm({}, {}), Code::kKeyUse);
  CHECK_EQ(std::string(error.what()), "a mac key cannot be used as a gcm key; each key has one purpose");
}

TEST(secret_key_derives_mac_and_floe_keys_only) {
  SecretKey content = sample_key(KeyUse::kContent);
  for (KeyUse use : {KeyUse::kContent, KeyUse::kGcm, KeyUse::kWrap, KeyUse::kCms}) {
    CHECK_THROWS_CODE(content.derive(use, sample_bytes(4), sample_bytes(4)), Code::kKeyUse);
  }
}

TEST(secret_key_derivation_is_kbkdf_in_counter_mode) {
  SecretKey content = sample_key(KeyUse::kContent);
  for (size_t label_length : {0, 1, 22}) {
    for (size_t context_length : {0, 1, 48, 1000}) {
      Bytes label = sample_bytes(label_length, 3), context = sample_bytes(context_length, 4);
      // SP 800-108r1 section 4.1, one block: [1]_32 ‖ label ‖ 0x00 ‖ context ‖ [256]_32.
      Bytes input = {0, 0, 0, 1};
      input.insert(input.end(), label.begin(), label.end());
      input.push_back(0);
      input.insert(input.end(), context.begin(), context.end());
      input.insert(input.end(), {0, 0, 1, 0});
      SecretKey derived = content.derive(KeyUse::kFloe, label, context);
      CHECK(derived.use() == KeyUse::kFloe);
      CHECK(bytes_of(derived) == reference_hmac(sample_bytes(32), input));
    }
  }
}

TEST(secret_key_mac_is_hmac_sha256_over_the_concatenation) {
  SecretKey key = sample_key(KeyUse::kMac);
  for (size_t length : {0, 1, 55, 64, 1000}) {
    Bytes data = sample_bytes(length, 5), tag(32);
    key.mac({data}, tag.data());
    CHECK(tag == reference_hmac(sample_bytes(32), data));
    Bytes in_parts(32);
    ByteView all(data);
    key.mac({all.subview(0, length / 3), {}, all.subview(length / 3, length - length / 3)}, in_parts.data());
    CHECK(in_parts == tag);
  }
}

TEST(secret_key_verifies_whole_tags_only) {
  SecretKey key = sample_key(KeyUse::kMac);
  Bytes data = sample_bytes(100), tag(32);
  key.mac({data}, tag.data());
  CHECK(key.verify_mac(data, tag));
  for (size_t i = 0; i < 32; ++i) CHECK(!key.verify_mac(data, flipped(tag, i)));
  for (size_t length = 0; length < 32; ++length) CHECK(!key.verify_mac(data, ByteView(tag.data(), length)));
  Bytes longer = tag;
  longer.push_back(0);
  CHECK(!key.verify_mac(data, longer));
  CHECK(!key.verify_mac(flipped(data, 50), tag));
  CHECK(!sample_key(KeyUse::kMac, 2).verify_mac(data, tag));
}

TEST(secret_key_gcm_round_trips_and_is_gcm) {
  SecretKey key = sample_key(KeyUse::kGcm);
  std::set<Bytes> ivs;
  size_t messages = 0;
  for (size_t length : {0, 1, 15, 16, 17, 1000}) {
    for (size_t aad_length : {0, 1, 16, 100}) {
      Bytes plaintext = sample_bytes(length, 6), aad = sample_bytes(aad_length, 7);
      Bytes sealed = key.encrypt_gcm(plaintext, aad);
      CHECK_EQ(sealed.size(), length + 28);
      SecretBytes opened = key.decrypt_gcm(sealed, aad);
      CHECK(Bytes(opened.begin(), opened.end()) == plaintext);
      CHECK(reference_gcm_decrypt(sample_bytes(32), sealed, aad) == plaintext);
      ivs.insert(Bytes(sealed.begin(), sealed.begin() + 12));
      ++messages;
    }
  }
  CHECK_EQ(ivs.size(), messages);
}

TEST(secret_key_gcm_refuses_whatever_is_changed) {
  SecretKey key = sample_key(KeyUse::kGcm);
  Bytes aad = sample_bytes(10);
  Bytes sealed = key.encrypt_gcm(sample_bytes(40), aad);
  for (size_t i = 0; i < sealed.size(); ++i)
    CHECK_THROWS_CODE(key.decrypt_gcm(flipped(sealed, i), aad), Code::kTampered);
  for (size_t length = 0; length < sealed.size(); ++length) {
    CHECK_THROWS_CODE(key.decrypt_gcm(ByteView(sealed.data(), length), aad), Code::kTampered);
  }
  for (size_t i = 0; i < aad.size(); ++i) CHECK_THROWS_CODE(key.decrypt_gcm(sealed, flipped(aad, i)), Code::kTampered);
  CHECK_THROWS_CODE(key.decrypt_gcm(sealed, {}), Code::kTampered);
  CHECK_THROWS_CODE(sample_key(KeyUse::kGcm, 2).decrypt_gcm(sealed, aad), Code::kTampered);
}

TEST(secret_key_wrapping_is_kwp) {
  SecretKey wrapping = sample_key(KeyUse::kWrap, 8);
  for (KeyUse use : kUses) {
    SecretKey key = sample_key(use, 9);
    Bytes wrapped = wrapping.wrap_key(key);
    CHECK(wrapped == reference_cipher("AES-256-WRAP-PAD", true, sample_bytes(32, 8), sample_bytes(32, 9)));
    SecretKey unwrapped = wrapping.unwrap_key(wrapped, use);
    CHECK(unwrapped.use() == use);
    CHECK(bytes_of(unwrapped) == sample_bytes(32, 9));
  }
}

TEST(secret_key_unwrapping_refuses_whatever_is_changed) {
  SecretKey wrapping = sample_key(KeyUse::kWrap, 8);
  Bytes wrapped = wrapping.wrap_key(sample_key(KeyUse::kGcm, 9));
  for (size_t i = 0; i < wrapped.size(); ++i) {
    CHECK_THROWS_CODE(wrapping.unwrap_key(flipped(wrapped, i), KeyUse::kGcm), Code::kTampered);
  }
  for (size_t length : {0, 1, 16, 32, 39, 41, 48}) {
    CHECK_THROWS_CODE(wrapping.unwrap_key(sample_bytes(length), KeyUse::kGcm), Code::kTampered);
  }
  CHECK_THROWS_CODE(sample_key(KeyUse::kWrap, 7).unwrap_key(wrapped, KeyUse::kGcm), Code::kTampered);
  // A payload of 31 bytes pads to the same 40: what is inside must be a whole key.
  Bytes shorter = reference_cipher("AES-256-WRAP-PAD", true, sample_bytes(32, 8), sample_bytes(31));
  CHECK_EQ(shorter.size(), size_t{40});
  CHECK_THROWS_CODE(wrapping.unwrap_key(shorter, KeyUse::kGcm), Code::kTampered);
}

}  // namespace
}  // namespace callseal::test
