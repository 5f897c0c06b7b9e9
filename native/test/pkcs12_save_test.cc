// PKCS#12 files written by us, read by the real `openssl` and by us.
#include "pkcs12.h"

#include <sys/stat.h>

#include "certificate.h"
#include "freed_memory.h"
#include "key_file.h"
#include "module.h"
#include "openssl_folder.h"
#include "test.h"

namespace callseal::test {
namespace {

constexpr char kSecret[] = "correct h\xC3\xB6rse battery staple";

const PrivateKey& key() {
  static const PrivateKey instance = PrivateKey::generate(2048);
  return instance;
}

const std::string& certificate() {
  static const std::string pem = create_certificate(key(), {{"CN", "server"}}, 30);
  return pem;
}

Passphrase passphrase() {
  return Passphrase::from_bytes(ByteView::of(kSecret));
}

TEST(pkcs12_save_is_read_by_openssl) {
  OpensslFolder folder;
  std::string outside =
      save_pkcs12(key(), folder.path("key.p12"), ByteView::of(certificate()), "server 1", passphrase());
  CHECK_EQ(outside.empty(), Module::get().mode() == FipsMode::kOff);
  struct stat status {};
  CHECK(stat(folder.path("key.p12").c_str(), &status) == 0);
  CHECK_EQ(status.st_mode & 07777, mode_t{0600});
  folder.write_text("pass.txt", kSecret);
  folder.run("openssl pkcs12 -in key.p12 -info -noout -passin file:pass.txt");
  std::string info = folder.text("log.txt");
  CHECK_CONTAINS(info, "MAC: sha256, Iteration 600000");
  CHECK_CONTAINS(info, "MAC length: 32, salt length: 16");
  CHECK_CONTAINS(info, "Shrouded Keybag: PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256");
  folder.run("openssl pkcs12 -in key.p12 -nodes -passin file:pass.txt -out all.pem");
  folder.run("openssl pkey -in all.pem -pubout -out public.pem && openssl x509 -in all.pem -out own.crt");
  CHECK_EQ(folder.text("public.pem"), key().public_key()->to_pem());
  CHECK_EQ(folder.text("own.crt"), certificate());
  CHECK_CONTAINS(folder.text("all.pem"), "friendlyName: server 1");
}

TEST(pkcs12_save_is_read_by_us) {
  OpensslFolder folder;
  Passphrase right = passphrase();
  save_pkcs12(key(), folder.path("with.p12"), ByteView::of(certificate()), "x", right);
  LoadedPkcs12 loaded = load_pkcs12(folder.path("with.p12"), &right);
  CHECK(loaded.key.public_key()->spki_sha256() == key().public_key()->spki_sha256());
  CHECK_EQ(loaded.certificate_pem, certificate());
  CHECK(load_private_key(folder.path("with.p12"), &right).public_key()->spki_sha256() ==
        key().public_key()->spki_sha256());
  Passphrase wrong = Passphrase::from_bytes(ByteView::of("wrong"));
  CHECK_THROWS_CODE(load_pkcs12(folder.path("with.p12"), &wrong), Code::kWrongPassphrase);
  CHECK_THROWS_CODE(load_pkcs12(folder.path("with.p12"), nullptr), Code::kPassphraseRequired);
  save_pkcs12(key(), folder.path("without.p12"), {}, "x", right);
  CHECK_EQ(load_pkcs12(folder.path("without.p12"), &right).certificate_pem, "");
}

// openssl encrypts certificates, and puts the chain beside the key's own.
TEST(pkcs12_load_finds_the_certificate_of_the_key) {
  OpensslFolder folder;
  folder.write_text("pass.txt", kSecret);
  for (const char* name : {"one", "two"}) {
    folder.run(std::string("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=") + name + " -keyout " + name +
               ".pem -out " + name + ".crt");
  }
  folder.run(
      "openssl pkcs12 -export -in two.crt -inkey two.pem -certfile one.crt -passout file:pass.txt -out chain.p12");
  Passphrase right = passphrase();
  CHECK_EQ(load_pkcs12(folder.path("chain.p12"), &right).certificate_pem, folder.text("two.crt"));
  CHECK_THROWS_CODE(load_pkcs12(folder.path("two.pem"), &right), Code::kKeyUnreadable);
}

TEST(pkcs12_save_refuses) {
  OpensslFolder folder;
  folder.write_text("there.p12", "precious");
  CHECK_THROWS_CODE(save_pkcs12(key(), folder.path("there.p12"), {}, "x", passphrase()), Code::kOutputExists);
  CHECK_EQ(folder.text("there.p12"), "precious");
  std::string other = create_certificate(PrivateKey::generate(2048), {{"CN", "other"}}, 30);
  CHECK_THROWS_CODE(save_pkcs12(key(), folder.path("new.p12"), ByteView::of(other), "x", passphrase()),
                    Code::kInvalidArgument);
  folder.run("openssl ecparam -genkey -name prime256v1 -out ec.pem");
  PrivateKey ec = load_private_key(folder.path("ec.pem"), nullptr);
  CHECK_THROWS_CODE(save_pkcs12(ec, folder.path("new.p12"), {}, "x", passphrase()), Code::kNotApproved);
  CHECK_EQ(folder.listing(), "ec.pem log.txt there.p12");
}

// Also as PKCS12KDF takes it: UTF-16 big-endian.
Bytes utf16(const char* ascii) {
  Bytes wide;
  for (const char* c = ascii; *c != '\0'; c++) wide.insert(wide.end(), {0, static_cast<uint8_t>(*c)});
  return wide;
}

TEST(pkcs12_save_and_load_leave_nothing_in_freed_memory) {
  OpensslFolder folder;
  constexpr char kAscii[] = "a passphrase of more than sixteen bytes";
  Passphrase right = Passphrase::from_bytes(ByteView::of(kAscii));
  SecretBytes exponent(key().public_key()->modulus_bytes());
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_D, exponent.data(), exponent.size()),
                             OSSL_PARAM_construct_end()};
  CHECK(EVP_PKEY_get_params(key().pkey(), parameters) == 1);
  SecretBytes der(exponent.rbegin(), exponent.rend());
  auto work = [&] {
    remove(folder.path("key.p12").c_str());
    save_pkcs12(key(), folder.path("key.p12"), ByteView::of(certificate()), "x", right);
    load_pkcs12(folder.path("key.p12"), &right);
  };
  Bytes wide = utf16(kAscii);
  for (ByteView secret : {ByteView(exponent.data() + 64, 32), ByteView(der.data() + 64, 32), ByteView::of(kAscii),
                          ByteView(wide.data(), wide.size())}) {
    CHECK_EQ(freed_blocks_with(secret, work), 0);
  }
}

}  // namespace
}  // namespace callseal::test
