// Master keys: wrapping, rows, and the keys that are refused.
#include "master_key.h"

#include "hierarchy_samples.h"
#include "kbkdf.h"

namespace callseal::test {
namespace {

const PrivateKey& installation_key() {
  static const PrivateKey key = PrivateKey::generate(2048);
  return key;
}

bool same_working_keys(const WorkingKey& one, const WorkingKey& other) {
  const Bytes record = protect(one, sample_header(), sample_entity(), sample_bytes(50));
  return unprotect(other, record, sample_header().size(), sample_entity()) == sample_bytes(50);
}

// K1 ‖ K2 ‖ K3 with the keys that are named alike, such as "aab" for K1 = K2.
Bytes triple(const char* pattern) {
  Bytes key;
  for (const char* name = pattern; *name != '\0'; ++name) {
    Bytes one = sample_triple_des(static_cast<uint32_t>(*name));
    key.insert(key.end(), one.begin(), one.begin() + 8);
  }
  return key;
}

TEST(master_keys_open_the_working_keys_they_made) {
  for (CipherKind cipher : ciphers()) {
    MasterKey master = MasterKey::generate(cipher, sample_context());
    CHECK(master.cipher() == cipher);
    for (CipherKind working : ciphers()) {
      for (HashKind hash : kHashes) {
        CreatedWorkingKey created = master.create_working_key(working, hash);
        const size_t length = WorkingKey::length(working);
        CHECK_EQ(created.wrapped.size(), cipher == CipherKind::kAes256 ? length + 8 : 8 + length + 8);
        const Bytes row = row_with(created.wrapped);
        auto opened = master.open_working_key(working, hash, row, mac_of(master, row), created.wrapped);
        CHECK(same_working_keys(*created.key, *opened));
        CHECK(opened->cipher() == working && opened->hash() == hash);
      }
    }
  }
}

TEST(master_keys_make_different_working_keys) {
  for (CipherKind cipher : ciphers()) {
    MasterKey master = sample_master_key(cipher);
    CHECK(master.create_working_key(cipher, HashKind::kSha1).wrapped !=
          master.create_working_key(cipher, HashKind::kSha1).wrapped);
  }
}

TEST(master_keys_pass_through_an_installation_key) {
  for (CipherKind cipher : ciphers()) {
    MasterKey master = MasterKey::generate(cipher, sample_context());
    Bytes wrapped = master.wrap_for(*installation_key().public_key());
    MasterKey opened = MasterKey::unwrap(installation_key(), wrapped, cipher, sample_context());
    CHECK(mac_of(opened, sample_bytes(9)) == mac_of(master, sample_bytes(9)));
    MasterKey elsewhere = MasterKey::unwrap(installation_key(), wrapped, cipher, sample_bytes(32, 1));
    CHECK(mac_of(elsewhere, sample_bytes(9)) != mac_of(master, sample_bytes(9)));
    wrapped[9] ^= 1;
    CHECK_THROWS_CODE(MasterKey::unwrap(installation_key(), wrapped, cipher, sample_context()), Code::kTampered);
  }
}

TEST(master_keys_that_are_none_are_not_unwrapped) {
  auto refuses = [](CipherKind cipher, const Bytes& bytes) {
    Bytes wrapped(256);
    installation_key().public_key()->encrypt_oaep(bytes, wrapped.data());
    CHECK_THROWS_CODE(MasterKey::unwrap(installation_key(), wrapped, cipher, sample_context()), Code::kTampered);
    CHECK_THROWS_CODE(MasterKey(cipher, bytes, sample_context()), Code::kInvalidArgument);
  };
  for (size_t length : {1, 24, 31, 33, 64}) refuses(CipherKind::kAes256, sample_bytes(length));
  for (size_t length : {1, 23, 25, 32}) refuses(CipherKind::kTripleDes, sample_bytes(length));
  for (const char* pattern : {"aaa", "aab", "abb", "aba"}) refuses(CipherKind::kTripleDes, triple(pattern));
  for (size_t i = 0; i < 24; ++i) {
    Bytes even = triple("abc");
    even[i] ^= 1;
    refuses(CipherKind::kTripleDes, even);
  }
  MasterKey(CipherKind::kTripleDes, triple("abc"), sample_context());
  for (size_t length : {0, 31, 33}) {
    CHECK_THROWS_CODE(MasterKey::generate(CipherKind::kAes256, sample_bytes(length)), Code::kInvalidArgument);
  }
}

TEST(master_keys_verify_rows) {
  for (CipherKind cipher : ciphers()) {
    MasterKey master = sample_master_key(cipher);
    const Bytes row = sample_bytes(200), mac = mac_of(master, row);
    CHECK(master.verify_row(row, mac));
    CHECK(!master.verify_row(sample_bytes(199), mac));
    CHECK(!master.verify_row(row, {}));
    CHECK(!master.verify_row(row, ByteView(mac.data(), 31)));
    for (size_t bit = 0; bit < mac.size() * 8; ++bit) {
      Bytes changed = mac;
      changed[bit / 8] = static_cast<uint8_t>(changed[bit / 8] ^ 1 << bit % 8);
      CHECK(!master.verify_row(row, changed));
    }
  }
}

TEST(master_keys_open_nothing_but_what_its_row_authenticates) {
  for (CipherKind cipher : ciphers()) {
    MasterKey master = sample_master_key(cipher);
    for (CipherKind working : ciphers()) {
      const Bytes wrapped = master.create_working_key(working, HashKind::kSha256).wrapped;
      const Bytes other = master.create_working_key(working, HashKind::kSha256).wrapped;
      const Bytes row = row_with(wrapped), mac = mac_of(master, row);
      auto refuses = [&](const Bytes& a_row, const Bytes& a_mac, const Bytes& a_wrapped, CipherKind kind) {
        CHECK_THROWS_CODE(master.open_working_key(kind, HashKind::kSha256, a_row, a_mac, a_wrapped),
                          Code::kKeySubstituted);
      };
      Bytes wrong_mac = mac, wrong_row = row;
      wrong_mac[0] ^= 1;
      wrong_row[0] ^= 1;
      refuses(row, wrong_mac, wrapped, working);
      refuses(wrong_row, mac, wrapped, working);
      refuses(row, mac, other, working);  // another row's key, whole in itself
      refuses(row, mac, {}, working);
      refuses(row, mac, Bytes(wrapped.begin() + 1, wrapped.end()), working);
      refuses({}, mac_of(master, {}), {}, working);
      refuses(wrapped, mac_of(master, wrapped), wrapped, working);  // a row without the field's length
      refuses(row, mac, wrapped, working == CipherKind::kAes256 ? CipherKind::kTripleDes : CipherKind::kAes256);
    }
  }
}

// A row that its master key has authenticated, but whose key was made by someone else.
TEST(master_keys_refuse_wrapped_keys_that_do_not_open) {
  for (CipherKind cipher : ciphers()) {
    MasterKey master = sample_master_key(cipher);
    for (CipherKind working : ciphers()) {
      Bytes wrapped = master.create_working_key(working, HashKind::kSha1).wrapped;
      auto refuses = [&](const Bytes& changed) {
        const Bytes row = row_with(changed);
        CHECK_THROWS_CODE(master.open_working_key(working, HashKind::kSha1, row, mac_of(master, row), changed),
                          Code::kKeySubstituted);
      };
      refuses({});
      refuses(Bytes(wrapped.begin(), wrapped.end() - 8));
      Bytes longer = wrapped;
      longer.resize(wrapped.size() + 8);
      refuses(longer);
      Bytes changed = wrapped;
      changed.back() ^= 1;  // for 3DES: of the padding
      refuses(changed);
    }
  }
}

TEST(working_keys_of_degenerate_triple_des_are_refused) {
  require_triple_des();
  for (const char* pattern : {"aaa", "aab", "abb", "aba", "abc"}) {
    Bytes key = triple(pattern);
    Bytes mac = sample_bytes(32);
    key.insert(key.end(), mac.begin(), mac.end());
    // As docs/keys.md wraps it under a 3DES master key.
    MasterKey master = sample_master_key(CipherKind::kTripleDes);
    SecretBytes wrapping =
        derive_kbkdf(sample_master(CipherKind::kTripleDes), ByteView::of("callseal wrap v1"), sample_context(), 24);
    triple_des::set_odd_parity(wrapping.data());
    Bytes wrapped(8 + triple_des::padded_length(key.size()));
    triple_des::encrypt(triple_des::start_encryption(view(wrapping)).get(), wrapped.data(), key, wrapped.data() + 8);
    const Bytes row = row_with(wrapped), row_mac = mac_of(master, row);
    auto open = [&] { return master.open_working_key(CipherKind::kTripleDes, HashKind::kSha1, row, row_mac, wrapped); };
    if (pattern == std::string("abc")) {
      CHECK(same_working_keys(WorkingKey(CipherKind::kTripleDes, HashKind::kSha1, key,
                                         view(derive_kbkdf(sample_master(CipherKind::kTripleDes),
                                                           ByteView::of("callseal binding v1"), sample_context(), 32))),
                              *open()));
    } else {
      CHECK_THROWS_CODE(open(), Code::kKeySubstituted);
      CHECK_THROWS_CODE(WorkingKey(CipherKind::kTripleDes, HashKind::kSha1, key, sample_bytes(32)),
                        Code::kInvalidArgument);
    }
  }
}

TEST(triple_des_that_the_module_refuses_is_refused_with_a_way_out) {
  auto create = [](CipherKind cipher) {
    return sample_master_key(CipherKind::kAes256).create_working_key(cipher, HashKind::kSha1);
  };
  create(CipherKind::kAes256);
  if (ciphers().size() > 1) throw Skip("the crypto module encrypts with 3DES: its refusal was not seen");
  for (Error error :
       {CHECK_THROWS_CODE(create(CipherKind::kTripleDes), Code::kNotApproved),
        CHECK_THROWS_CODE(MasterKey::generate(CipherKind::kTripleDes, sample_context()), Code::kNotApproved)}) {
    CHECK_CONTAINS(error.what(), "encrypting with 3DES");
    CHECK_CONTAINS(error.what(), "SP 800-131A rev. 2");
    CHECK_CONTAINS(error.what(), "aes/aes/sha256");
  }
}

TEST(triple_des_keys_are_made_with_odd_parity) {
  for (int i = 0; i < 100; ++i) {
    CHECK(triple_des::is_sound(view(triple_des::generate())));
    CHECK(WorkingKey::is_sound(CipherKind::kTripleDes, view(WorkingKey::generate_bytes(CipherKind::kTripleDes))));
  }
  Bytes key = sample_bytes(24), same = key;
  triple_des::set_odd_parity(key.data());
  for (size_t i = 0; i < 24; ++i) {
    CHECK_EQ(key[i] >> 1, same[i] >> 1);
    CHECK_EQ(__builtin_popcount(key[i]) % 2, 1);
  }
}

}  // namespace
}  // namespace callseal::test
