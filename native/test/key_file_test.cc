// Every form of private key that the `openssl` command writes, with the right, a wrong and no passphrase.
#include "key_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "module.h"
#include "openssl_folder.h"
#include "test.h"

namespace callseal::test {
namespace {

// Who can decrypt a form.
enum class Needs { kModule, kTripleDes, kDefaultProvider, kLegacyProvider };

struct Form {
  const char* file;
  const char* command;  // makes `file` from key.pem
  const char* form;     // as probed
  bool encrypted;
  Needs needs;
};

constexpr char kPassphrase[] = "correct horse";

// Passphrases are given in pass.txt, as file:pass.txt.
const Form kForms[] = {
    {"pkcs8.pem", "openssl pkcs8 -topk8 -nocrypt -in key.pem -out pkcs8.pem", "PKCS#8", false, Needs::kModule},
    {"pkcs8.der", "openssl pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out pkcs8.der", "PKCS#8", false,
     Needs::kModule},
    {"pkcs1.pem", "openssl rsa -traditional -in key.pem -out pkcs1.pem", "PKCS#1", false, Needs::kModule},
    {"pkcs1.der", "openssl rsa -traditional -in key.pem -outform DER -out pkcs1.der", "PKCS#1", false, Needs::kModule},
    {"aes256.pem", "openssl pkcs8 -topk8 -v2 aes256 -in key.pem -passout file:pass.txt -out aes256.pem",
     "PKCS#8, PBES2 PBKDF2-HMAC-SHA256 AES-256-CBC", true, Needs::kModule},
    {"aes256.der", "openssl pkcs8 -topk8 -v2 aes256 -in key.pem -passout file:pass.txt -outform DER -out aes256.der",
     "PKCS#8, PBES2 PBKDF2-HMAC-SHA256 AES-256-CBC", true, Needs::kModule},
    {"sha1.pem", "openssl pkcs8 -topk8 -v2 aes128 -v2prf hmacWithSHA1 -in key.pem -passout file:pass.txt -out sha1.pem",
     "PKCS#8, PBES2 PBKDF2-HMAC-SHA1 AES-128-CBC", true, Needs::kModule},
    {"des3.pem", "openssl pkcs8 -topk8 -v2 des3 -in key.pem -passout file:pass.txt -out des3.pem",
     "PKCS#8, PBES2 PBKDF2-HMAC-SHA256 DES-EDE3-CBC", true, Needs::kTripleDes},
    {"des3.der", "openssl pkcs8 -topk8 -v2 des3 -in key.pem -passout file:pass.txt -outform DER -out des3.der",
     "PKCS#8, PBES2 PBKDF2-HMAC-SHA256 DES-EDE3-CBC", true, Needs::kTripleDes},
    {"cfb.pem", "openssl pkcs8 -topk8 -v2 aes-256-cfb -in key.pem -passout file:pass.txt -out cfb.pem",
     "PKCS#8, PBES2 PBKDF2-HMAC-SHA256 AES-256-CFB", true, Needs::kModule},
    {"scrypt.pem", "openssl pkcs8 -topk8 -scrypt -in key.pem -passout file:pass.txt -out scrypt.pem",
     "PKCS#8, PBES2 scrypt AES-256-CBC", true, Needs::kDefaultProvider},
    {"scrypt.der", "openssl pkcs8 -topk8 -scrypt -in key.pem -passout file:pass.txt -outform DER -out scrypt.der",
     "PKCS#8, PBES2 scrypt AES-256-CBC", true, Needs::kDefaultProvider},
    {"v1-3des.pem", "openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in key.pem -passout file:pass.txt -out v1-3des.pem",
     "PKCS#8, PBES1 SHA1-3DES", true, Needs::kDefaultProvider},
    {"v1-3des.der",
     "openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in key.pem -passout file:pass.txt -outform DER -out v1-3des.der",
     "PKCS#8, PBES1 SHA1-3DES", true, Needs::kDefaultProvider},
    {"v1-md5-des.pem",
     "openssl pkcs8 -provider default -provider legacy -topk8 -v1 PBE-MD5-DES -in key.pem -passout file:pass.txt -out "
     "v1-md5-des.pem",
     "PKCS#8, PBES1 MD5-DES", true, Needs::kLegacyProvider},
    {"v1-md5-des.der",
     "openssl pkcs8 -provider default -provider legacy -topk8 -v1 PBE-MD5-DES -in key.pem -passout file:pass.txt "
     "-outform DER -out v1-md5-des.der",
     "PKCS#8, PBES1 MD5-DES", true, Needs::kLegacyProvider},
    {"v1-rc2.der",
     "openssl pkcs8 -provider default -provider legacy -topk8 -v1 PBE-SHA1-RC2-40 -in key.pem -passout file:pass.txt "
     "-outform DER -out v1-rc2.der",
     "PKCS#8, PBES1 SHA1-RC2-40", true, Needs::kLegacyProvider},
    {"v1-rc4.pem",
     "openssl pkcs8 -provider default -provider legacy -topk8 -v1 PBE-SHA1-RC4-128 -in key.pem -passout file:pass.txt "
     "-out v1-rc4.pem",
     "PKCS#8, PBES1 SHA1-RC4-128", true, Needs::kLegacyProvider},
    {"dek-aes256.pem", "openssl rsa -traditional -aes256 -in key.pem -passout file:pass.txt -out dek-aes256.pem",
     "traditional PEM AES-256-CBC", true, Needs::kDefaultProvider},
    {"dek-des3.pem", "openssl rsa -traditional -des3 -in key.pem -passout file:pass.txt -out dek-des3.pem",
     "traditional PEM DES-EDE3-CBC", true, Needs::kDefaultProvider},
    {"dek-des.pem",
     "openssl rsa -provider default -provider legacy -traditional -des -in key.pem -passout file:pass.txt -out "
     "dek-des.pem",
     "traditional PEM DES-CBC", true, Needs::kLegacyProvider},
    {"modern.p12", "openssl pkcs12 -export -inkey key.pem -in cert.pem -passout file:pass.txt -out modern.p12",
     "PKCS#12", true, Needs::kDefaultProvider},
    {"modern-p12.pem",
     "openssl pkcs12 -export -inkey key.pem -nocerts -passout file:pass.txt | "
     "(echo -----BEGIN PKCS12-----; base64; echo -----END PKCS12-----) >modern-p12.pem",
     "PKCS#12", true, Needs::kDefaultProvider},
    {"legacy.p12", "openssl pkcs12 -export -legacy -inkey key.pem -in cert.pem -passout file:pass.txt -out legacy.p12",
     "PKCS#12", true, Needs::kDefaultProvider},
    {"legacy-bag.p12",
     "openssl pkcs12 -export -legacy -keypbe PBE-SHA1-RC2-40 -inkey key.pem -nocerts -passout file:pass.txt "
     "-out legacy-bag.p12",
     "PKCS#12", true, Needs::kLegacyProvider},
};

struct Fixture {
  Fixture() {
    folder.run(
        "openssl req -x509 -nodes -days 365 -newkey rsa:2048 -subj '/C=US/O=MyCompany/CN=MyCompany' -keyout key.pem "
        "-out cert.pem");
    folder.write_text("pass.txt", std::string(kPassphrase) + "\n");
    for (const Form& form : kForms) folder.run(form.command);
    expected = load_private_key(folder.path("key.pem"), nullptr).public_key()->spki_sha256();
  }
  OpensslFolder folder;
  Sha256 expected{};
};

const Fixture& fixture() {
  static const Fixture instance;
  return instance;
}

Passphrase passphrase(const char* text) {
  return Passphrase::from_bytes(ByteView::of(text));
}

bool module_has_triple_des() {
  const Module& module = Module::get();
  CipherPtr cipher(EVP_CIPHER_fetch(module.context(), "DES-EDE3-CBC", module.properties()));
  take_openssl_errors();
  return cipher != nullptr;
}

std::string expected_performer(Needs needs) {
  if (needs == Needs::kTripleDes) needs = module_has_triple_des() ? Needs::kModule : Needs::kDefaultProvider;
  if (needs == Needs::kLegacyProvider) return "legacy provider";
  return needs == Needs::kDefaultProvider && Module::get().mode() == FipsMode::kRequired ? "default provider" : "";
}

// PKCS#12 derives the key of its MAC in the default provider, whatever the key inside needs.
bool needs_both(const Form& form) {
  return std::string(form.file) == "legacy-bag.p12";
}

// The key works, and it is the right one.
void check_opens(const PrivateKey& key) {
  CHECK(key.public_key()->spki_sha256() == fixture().expected);
  SecretKey content = SecretKey::generate(KeyUse::kContent);
  Bytes wrapped(key.public_key()->modulus_bytes());
  key.public_key()->wrap(content, wrapped.data());
  ByteView opened = key.unwrap(wrapped).bytes_for(KeyUse::kContent);
  CHECK_EQ(opened.size(), SecretKey::kLength);
}

TEST(key_file_opens_every_form) {
  Passphrase right = passphrase(kPassphrase);
  for (const Form& form : kForms) {
    PrivateKey key = load_private_key(fixture().folder.path(form.file), &right);
    check_opens(key);
    std::string performer = expected_performer(form.needs);
    if (performer.empty()) {
      CHECK_EQ(key.unwrapped_outside(), "");
    } else {
      std::string other = performer == "legacy provider" ? "default provider" : "legacy provider";
      CHECK_CONTAINS(key.unwrapped_outside(), performer);
      if (!needs_both(form)) CHECK(key.unwrapped_outside().find(other) == std::string::npos);
      CHECK_CONTAINS(key.unwrapped_outside(), std::string(form.form));
    }
  }
}

TEST(key_file_tells_a_wrong_passphrase_from_an_unreadable_key) {
  // 300 wrong passphrases meet the one in 256 that leaves good padding.
  for (const Form& form : kForms) {
    if (!form.encrypted) continue;
    std::string path = fixture().folder.path(form.file);
    int attempts = std::string(form.file) == "aes256.der" ? 300 : 3;
    for (int i = 0; i < attempts; i++) {
      Passphrase wrong = passphrase(("wrong " + std::to_string(i)).c_str());
      Error error = CHECK_THROWS_CODE(load_private_key(path, &wrong), Code::kWrongPassphrase);
      CHECK_CONTAINS(error.what(), path);
      CHECK(std::string(error.what()).find("wrong ") == std::string::npos);
    }
  }
}

TEST(key_file_asks_for_a_passphrase_when_there_is_none) {
  for (const Form& form : kForms) {
    std::string path = fixture().folder.path(form.file);
    if (form.encrypted) {
      Error error = CHECK_THROWS_CODE(load_private_key(path, nullptr), Code::kPassphraseRequired);
      CHECK_CONTAINS(error.what(), path);
    } else {
      check_opens(load_private_key(path, nullptr));
    }
  }
}

TEST(key_file_probe_names_every_form) {
  for (const Form& form : kForms) {
    KeyFileContents contents = probe_key_file(fixture().folder.path(form.file));
    CHECK_EQ(contents.private_keys.size(), size_t{1});
    CHECK_EQ(contents.private_keys[0].form, std::string(form.form));
    CHECK_EQ(contents.private_keys[0].encrypted, form.encrypted);
    CHECK_EQ(contents.public_key_hints.size(), form.encrypted ? size_t{0} : size_t{1});
    if (!form.encrypted) CHECK(contents.public_key_hints[0] == fixture().expected);
  }
}

TEST(key_file_opens_the_documented_commands) {
  OpensslFolder folder;
  const std::string subject =
      "-subj '/C=US/ST=CA/L=San Diego/O=MyCompany/OU=MySoftware/CN=MyCompany/emailAddress=support@mycompany.com'";
  folder.run("openssl req -x509 -nodes -days 365 -newkey rsa:2048 " + subject + " -keyout plain.key -out plain.crt");
  folder.run("openssl req -x509 -days 365 -newkey rsa:2048 -passout pass:mypass " + subject +
             " -keyout my_private.key -out my_cert.crt");
  CHECK_EQ(load_private_key(folder.path("plain.key"), nullptr).unwrapped_outside(), "");
  Passphrase mypass = passphrase("mypass");
  PrivateKey key = load_private_key(folder.path("my_private.key"), &mypass);
  CHECK_THROWS_CODE(load_private_key(folder.path("my_private.key"), nullptr), Code::kPassphraseRequired);
  // The certificate in its own file gives the hint that the key belongs to it.
  KeyFileContents certificate = probe_key_file(folder.path("my_cert.crt"));
  CHECK(certificate.private_keys.empty());
  CHECK_EQ(certificate.public_key_hints.size(), size_t{1});
  CHECK(certificate.public_key_hints[0] == key.public_key()->spki_sha256());
}

TEST(key_file_takes_the_first_key_among_other_things) {
  const OpensslFolder& folder = fixture().folder;
  OpensslFolder mixed;
  mixed.run("openssl genrsa -out second.pem 2048");
  std::string text = "\xEF\xBB\xBFSome text: with a colon\n" + folder.text("cert.pem") +
                     "Bag Attributes\n    key: 1\n" + folder.text("aes256.pem") + mixed.text("second.pem");
  std::string crlf;
  for (char c : text) crlf += c == '\n' ? "\r\n" : std::string(1, c);
  Passphrase right = passphrase(kPassphrase);
  for (const std::string& content : {text, crlf}) {
    mixed.write_text("mixed.pem", content);
    check_opens(load_private_key(mixed.path("mixed.pem"), &right));
    KeyFileContents contents = probe_key_file(mixed.path("mixed.pem"));
    CHECK_EQ(contents.private_keys.size(), size_t{2});
    CHECK(contents.private_keys[0].encrypted && !contents.private_keys[1].encrypted);
    CHECK_EQ(contents.public_key_hints.size(), size_t{2});
    CHECK(contents.public_key_hints[0] == fixture().expected);
  }
}

TEST(key_file_reads_from_a_pipe) {
  OpensslFolder folder;
  std::string pipe = folder.path("pipe");
  CHECK(mkfifo(pipe.c_str(), 0600) == 0);
  std::string text = fixture().folder.text("pkcs8.pem");
  std::thread writer([&] { folder.write_text("pipe", text); });
  PrivateKey key = load_private_key(pipe, nullptr);
  writer.join();
  check_opens(key);
  // Probing must neither wait for a writer nor take what can be read only once.
  CHECK(probe_key_file(pipe).private_keys.empty());
}

}  // namespace
}  // namespace callseal::test
