// The key hierarchy leaves neither keys nor what it refused to release in freed memory.
#include "freed_memory.h"
#include "hierarchy_samples.h"

namespace callseal::test {
namespace {

const PrivateKey& installation_key() {
  static const PrivateKey key = PrivateKey::generate(2048);
  return key;
}

TEST(master_keys_are_not_left_in_freed_memory) {
  for (CipherKind cipher : ciphers()) {
    Bytes secret = sample_master(cipher, 300);
    CHECK_EQ(freed_blocks_with(secret,
                               [&] {
                                 MasterKey master(cipher, secret, sample_context());
                                 Bytes wrapped = master.wrap_for(*installation_key().public_key());
                                 MasterKey::unwrap(installation_key(), wrapped, cipher, sample_context());
                                 Bytes row = row_with(master.create_working_key(cipher, HashKind::kSha1).wrapped);
                                 mac_of(master, row);
                               }),
             0);
  }
}

// The keys of a working key: the cipher's, and for 3DES the inner tag's.
std::vector<Bytes> parts(CipherKind cipher, const Bytes& key) {
  if (cipher == CipherKind::kAes256) return {key};
  return {Bytes(key.begin(), key.begin() + 24), Bytes(key.begin() + 24, key.end())};
}

TEST(working_keys_are_not_left_in_freed_memory) {
  for (CipherKind cipher : ciphers()) {
    Bytes key = sample_working(cipher, 301), binding = sample_bytes(32, 303);
    std::vector<Bytes> secrets = parts(cipher, key);
    secrets.push_back(binding);
    for (const Bytes& secret : secrets) {
      auto work = [&] {
        WorkingKey working(cipher, HashKind::kSha256, key, binding);
        Bytes record = protect(working, sample_header(), sample_entity(), sample_bytes(100));
        unprotect(working, record, sample_header().size(), sample_entity());
      };
      CHECK_EQ(freed_blocks_with(secret, work), 0);
    }
  }
}

TEST(plaintext_is_not_left_in_freed_memory_by_rebind_and_reencrypt) {
  for_each_working_key([](const WorkingKey& key) {
    Bytes secret = sample_bytes(64, 304), header = sample_header(), entity = sample_entity();
    Bytes record = protect(key, header, entity, secret);
    CHECK_EQ(freed_blocks_with(secret,
                               [&] {
                                 rebind_record(key, record, header.size(), entity, sample_entity(1));
                                 reencrypt_record(key, record, header.size(), entity, key, header);
                               }),
             0);
  });
}

// Two items, the second bad: the first one's plaintext was in the output already.
TEST(plaintext_is_cleared_when_a_later_item_is_bad) {
  for_each_working_key([](const WorkingKey& key) {
    Bytes secret = sample_bytes(64, 305), header = sample_header();
    PackedBatch packed;
    packed.add(protect(key, header, sample_entity(), secret), sample_entity());
    packed.add(protect(key, header, sample_entity(), secret), sample_entity(1));
    CHECK_EQ(freed_blocks_with(secret,
                               [&] {
                                 Bytes out(batch_max_plaintext_length(key, header.size(), packed.batch()));
                                 uint32_t ends[2];
                                 CHECK_THROWS_CODE(unprotect_batch(key, header, packed.batch(), out.data(), ends),
                                                   Code::kEntityMismatch);
                               }),
             0);
  });
}

}  // namespace
}  // namespace callseal::test
