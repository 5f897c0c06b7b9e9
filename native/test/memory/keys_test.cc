// Every allocation of the core's work on keys and records fails once.
#include <unistd.h>

#include "allocation_faults.h"
#include "certificate.h"
#include "hierarchy_samples.h"
#include "key_file.h"
#include "pkcs12.h"

namespace callseal::test {
namespace {

const PrivateKey& own_key() {
  static const PrivateKey key = PrivateKey::generate(2048);
  return key;
}

constexpr int kSlow = 7;
constexpr int kSigning = 11;
const Bytes kWord = {'c', 'o', 'r', 'r', 'e', 'c', 't', ' ', 'h', 'o', 'r', 's', 'e'};

// A passphrase costs 600,000 rounds each time.
void require_patience() {
  if (!every_one_fails()) throw Skip("keys under a passphrase were not tried: minutes, see npm run test:long");
}

void fail_in_key_files(const Passphrase* passphrase, int step) {
  ScratchFolder folder;
  const std::string path = folder.path("key");
  const auto none = [&] { unlink(path.c_str()); };
  const auto whole_or_none = [&](bool done) { CHECK_EQ(folder.listing(), std::string(done ? "key" : "")); };
  CHECK(fail_every_allocation(
            none, [&] { save_private_key(own_key(), path, passphrase); }, whole_or_none, step) > 10);
  CHECK(fail_every_allocation([&] { load_private_key(path, passphrase); }, step) > 10);
  CHECK(fail_every_allocation([&] { probe_key_file(path); }) > 1);
}

TEST(memory_private_key_files) {
  fail_in_key_files(nullptr, 1);
}

TEST(memory_encrypted_private_key_files) {
  require_patience();
  const Passphrase passphrase = Passphrase::from_bytes(kWord);
  fail_in_key_files(&passphrase, kSlow);
}

TEST(memory_pkcs12_files) {
  require_patience();
  const Passphrase passphrase = Passphrase::from_bytes(kWord);
  const std::string certificate = create_certificate(own_key(), {{"CN", "a"}}, 30);
  const Bytes pem(certificate.begin(), certificate.end());
  ScratchFolder folder;
  const std::string path = folder.path("key");
  CHECK(fail_every_allocation(
            [&] { unlink(path.c_str()); }, [&] { save_pkcs12(own_key(), path, pem, "name", passphrase); },
            [&](bool done) { CHECK_EQ(folder.listing(), std::string(done ? "key" : "")); }, kSlow) > 10);
  unlink(path.c_str());
  save_pkcs12(own_key(), path, pem, "name", passphrase);
  CHECK(fail_every_allocation([&] { load_pkcs12(path, &passphrase); }, kSlow) > 10);
}

TEST(memory_certificates) {
  CHECK(fail_every_allocation([] { create_request(own_key(), {{"CN", "a"}}); }, kSigning) > 10);
  CHECK(fail_every_allocation([] { create_certificate(own_key(), {{"CN", "a"}}, 30); }, kSigning) > 10);
  const std::string certificate = create_certificate(own_key(), {{"CN", "a"}}, 30);
  const Bytes pem(certificate.begin(), certificate.end());
  CHECK(fail_every_allocation([&] { read_recipients(pem); }) > 10);
}

TEST(memory_records) {
  for_each_working_key([](const WorkingKey& key) {
    const Bytes header = sample_header(), entity = sample_entity(), plaintext = sample_bytes(1000);
    const Bytes record = protect(key, header, entity, plaintext);
    CHECK(fail_every_allocation([&] { protect(key, header, entity, plaintext); }) > 0);
    CHECK(fail_every_allocation([&] { CHECK(unprotect(key, record, header.size(), entity) == plaintext); }) > 0);
  });
}

TEST(memory_hierarchy_keys) {
  const Bytes context = sample_context();
  for (CipherKind cipher : ciphers()) {
    const MasterKey master = MasterKey::generate(cipher, context);
    const Bytes wrapped = master.wrap_for(*own_key().public_key());
    CHECK(fail_every_allocation([&] { MasterKey::generate(cipher, context); }) > 1);
    CHECK(fail_every_allocation([&] { master.wrap_for(*own_key().public_key()); }) > 1);
    CHECK(fail_every_allocation([&] { MasterKey::unwrap(own_key(), wrapped, cipher, context); }) > 1);
    CHECK(fail_every_allocation([&] { master.create_working_key(cipher, HashKind::kSha256); }) > 1);
    const CreatedWorkingKey created = master.create_working_key(cipher, HashKind::kSha256);
    const Bytes row = row_with(created.wrapped), mac = mac_of(master, row), kept = created.wrapped;
    CHECK(fail_every_allocation([&] { master.open_working_key(cipher, HashKind::kSha256, row, mac, kept); }) > 1);
  }
}

}  // namespace
}  // namespace callseal::test
