// Using keys leaves none of them in freed memory, and neither does opening files what was in them.
#include "envelope.h"

#include <thread>

#include "error.h"
#include "file_job_paths.h"
#include "floe_body.h"
#include "freed_memory.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {
namespace {

TEST(cleansing_is_seen_when_it_is_missing) {
  Bytes secret = sample_bytes(32, 40);
  CHECK_EQ(freed_blocks_with(secret, [&] { Bytes careless(secret); }), 1);
  CHECK_EQ(freed_blocks_with(secret, [&] { SecretBytes careful(secret.begin(), secret.end()); }), 0);
}

TEST(secret_key_operations_leave_no_key_in_freed_memory) {
  Bytes secret = sample_bytes(32, 41);
  CHECK_EQ(freed_blocks_with(secret,
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
  CHECK_EQ(freed_blocks_with(secret,
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
  CHECK_EQ(freed_blocks_with(secret,
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
  CHECK_EQ(freed_blocks_with(derived, [&] { content.derive(KeyUse::kFloe, sample_bytes(9), sample_bytes(9)); }), 0);
}

TEST(file_jobs_leave_no_plaintext_in_freed_memory) {
  const Bytes secret = sample_bytes(64, 45);
  Bytes plaintext;
  while (plaintext.size() < 700000) plaintext.insert(plaintext.end(), secret.begin(), secret.end());
  ScratchFolder folder;
  folder.write("in", plaintext);
  for (uint32_t segment_length : {4096, 262144, 16777216}) {
    encrypt(folder.path("in"), folder.path("sealed"), segment_length, true);
    Bytes sealed = folder.read("sealed");
    sealed[sealed.size() - 1] ^= 1;
    folder.write("bad", sealed);
    const auto jobs = [&] {
      encrypt(folder.path("in"), folder.path("again"), segment_length, true);
      decrypt(folder.path("sealed"), folder.path("out"), true);
      CHECK_THROWS_CODE(decrypt(folder.path("bad"), folder.path("out"), true), Code::kTampered);
    };
    // On a thread of its own, as what a thread keeps is freed when it ends.
    CHECK_EQ(freed_blocks_with(secret, [&] { std::thread(jobs).join(); }), 0);
  }
}

}  // namespace
}  // namespace callseal::test
