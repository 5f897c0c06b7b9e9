// Private keys written by us, read by the real `openssl` and by us.
#include <sys/stat.h>

#include "key_file.h"
#include "openssl_folder.h"
#include "test.h"

namespace callseal::test {
namespace {

const PrivateKey& key() {
  static const PrivateKey instance = PrivateKey::generate(2048);
  return instance;
}

void check_mode_0600(const std::string& path) {
  struct stat status {};
  CHECK(stat(path.c_str(), &status) == 0);
  CHECK_EQ(status.st_mode & 07777, mode_t{0600});
}

// The public key that `openssl` finds in a private-key file is ours.
void check_openssl_reads(const OpensslFolder& folder, const std::string& file, const std::string& passin) {
  folder.run("openssl pkey -in " + file + " " + passin + " -pubout -out public.pem");
  CHECK_EQ(folder.text("public.pem"), key().public_key()->to_pem());
}

TEST(key_save_plain) {
  OpensslFolder folder;
  save_private_key(key(), folder.path("plain.pem"), nullptr);
  check_mode_0600(folder.path("plain.pem"));
  check_openssl_reads(folder, "plain.pem", "");
  PrivateKey loaded = load_private_key(folder.path("plain.pem"), nullptr);
  CHECK(loaded.public_key()->spki_sha256() == key().public_key()->spki_sha256());
  // The same text that openssl writes, line by line.
  folder.run("openssl pkcs8 -topk8 -nocrypt -in plain.pem -out again.pem");
  CHECK(folder.text("again.pem") == folder.text("plain.pem"));
}

TEST(key_save_encrypted) {
  OpensslFolder folder;
  Passphrase passphrase = Passphrase::from_bytes(ByteView::of("p\xC3\xA4ss"));
  save_private_key(key(), folder.path("key.pem"), &passphrase);
  check_mode_0600(folder.path("key.pem"));
  check_openssl_reads(folder, "key.pem", "-passin pass:p\xC3\xA4ss");
  KeyFileContents contents = probe_key_file(folder.path("key.pem"));
  CHECK_EQ(contents.private_keys.size(), size_t{1});
  CHECK_EQ(contents.private_keys[0].form, "PKCS#8, PBES2 PBKDF2-HMAC-SHA256 AES-256-CBC");
  folder.run("openssl asn1parse -in key.pem >parsed.txt");
  std::string parsed = folder.text("parsed.txt");
  CHECK_CONTAINS(parsed, "INTEGER           :0927C0");  // 600,000 iterations
  CHECK_CONTAINS(parsed, "l=  16 prim: OCTET STRING");  // of salt
  PrivateKey loaded = load_private_key(folder.path("key.pem"), &passphrase);
  CHECK(loaded.public_key()->spki_sha256() == key().public_key()->spki_sha256());
  CHECK_EQ(loaded.unwrapped_outside(), "");
  Passphrase wrong = Passphrase::from_bytes(ByteView::of("pass"));
  CHECK_THROWS_CODE(load_private_key(folder.path("key.pem"), &wrong), Code::kWrongPassphrase);
}

TEST(key_save_never_replaces) {
  OpensslFolder folder;
  folder.write_text("there.pem", "precious");
  CHECK_THROWS_CODE(save_private_key(key(), folder.path("there.pem"), nullptr), Code::kOutputExists);
  CHECK_EQ(folder.text("there.pem"), "precious");
  folder.run("ln -s nowhere dangling.pem");
  CHECK_THROWS_CODE(save_private_key(key(), folder.path("dangling.pem"), nullptr), Code::kOutputExists);
  Error error = CHECK_THROWS_CODE(save_private_key(key(), folder.path("missing/key.pem"), nullptr), Code::kIo);
  CHECK_EQ(error.errno_name(), "ENOENT");
  // Nothing temporary is left.
  CHECK_EQ(folder.listing(), "dangling.pem log.txt there.pem");
}

TEST(key_save_is_for_keys_that_are_used) {
  OpensslFolder folder;
  folder.run("openssl ecparam -genkey -name secp521r1 -out ec.pem");
  PrivateKey other = load_private_key(folder.path("ec.pem"), nullptr);
  CHECK_THROWS_CODE(save_private_key(other, folder.path("out.pem"), nullptr), Code::kNotApproved);
  CHECK_EQ(folder.listing(), "ec.pem log.txt");
}

}  // namespace
}  // namespace callseal::test
