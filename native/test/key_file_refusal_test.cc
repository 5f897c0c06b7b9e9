// What is refused as a private key, and what is said about it.
#include <openssl/objects.h>
#include <sys/stat.h>

#include <algorithm>

#include "key_file.h"
#include "module.h"
#include "openssl_folder.h"
#include "test.h"

namespace callseal::test {
namespace {

const OpensslFolder& folder() {
  static const OpensslFolder instance;
  static const bool made = [] {
    instance.run("openssl req -x509 -nodes -days 1 -newkey rsa:2048 -subj /CN=refusal -keyout key.pem -out cert.pem");
    instance.run("openssl pkcs8 -topk8 -v2 aes256 -in key.pem -passout pass:right -outform DER -out aes256.der");
    instance.run("openssl pkcs8 -topk8 -scrypt -in key.pem -passout pass:right -outform DER -out scrypt.der");
    instance.run("openssl pkcs12 -export -inkey key.pem -nocerts -passout pass:right -out key.p12");
    return true;
  }();
  (void)made;
  return instance;
}

Passphrase right() {
  return Passphrase::from_bytes(ByteView::of("right"));
}

std::string why_unreadable(const std::string& content) {
  Passphrase passphrase = right();
  Error error =
      CHECK_THROWS_CODE(decode_private_key(ByteView::of(content), &passphrase, "KEYFILE"), Code::kKeyUnreadable);
  CHECK_CONTAINS(error.what(), "KEYFILE");
  return error.what();
}

void replace_once(std::string& text, const std::string& from, const std::string& to) {
  size_t at = text.find(from);
  if (at == std::string::npos) throw Failure("the file does not contain what is to be replaced");
  text.replace(at, from.size(), to);
}

std::string encode(const X509_SIG* encrypted) {
  uint8_t* der = nullptr;
  int length = i2d_X509_SIG(encrypted, &der);
  std::string text(reinterpret_cast<char*>(der), static_cast<size_t>(length));
  OPENSSL_free(der);
  return text;
}

// Still well-formed DER.
std::string without_last_ciphertext_byte(const std::string& der) {
  const uint8_t* cursor = reinterpret_cast<const uint8_t*>(der.data());
  Pkcs8Ptr encrypted(d2i_X509_SIG(nullptr, &cursor, static_cast<long>(der.size())));
  X509_ALGOR* algorithm = nullptr;
  ASN1_OCTET_STRING* content = nullptr;
  X509_SIG_getm(encrypted.get(), &algorithm, &content);
  Bytes shorter(ASN1_STRING_get0_data(content), ASN1_STRING_get0_data(content) + ASN1_STRING_length(content) - 1);
  CHECK(ASN1_OCTET_STRING_set(content, shorter.data(), static_cast<int>(shorter.size())) == 1);
  return encode(encrypted.get());
}

// An encrypted PKCS#8 structure that asks for `iterations`; what it encrypts is never reached.
std::string pbkdf2_bomb(int iterations) {
  const Module& module = Module::get();
  X509_SIG* bomb = X509_SIG_new();
  Pkcs8Ptr owner(bomb);
  X509_ALGOR* algorithm = nullptr;
  ASN1_OCTET_STRING* content = nullptr;
  X509_SIG_getm(bomb, &algorithm, &content);
  CipherPtr cipher = module.fetch_cipher("AES-256-CBC");
  OpensslPtr<X509_ALGOR, X509_ALGOR_free> made(
      PKCS5_pbe2_set_iv_ex(cipher.get(), iterations, nullptr, 16, nullptr, NID_hmacWithSHA256, module.context()));
  CHECK(made != nullptr && X509_ALGOR_copy(algorithm, made.get()) == 1);
  CHECK(ASN1_OCTET_STRING_set(content, reinterpret_cast<const uint8_t*>("0123456789abcdef"), 16) == 1);
  return encode(bomb);
}

TEST(key_file_says_what_is_there_instead) {
  CHECK_CONTAINS(why_unreadable(""), "empty");
  CHECK_CONTAINS(why_unreadable("hello"), "neither PEM nor DER");
  CHECK_CONTAINS(why_unreadable(folder().text("cert.pem") + folder().text("cert.pem")), "CERTIFICATE (2)");
  CHECK_CONTAINS(why_unreadable("PuTTY-User-Key-File-3: ssh-rsa\n"), "puttygen");
  CHECK_CONTAINS(why_unreadable(std::string("\xFF\xFE-\0-\0", 6)), "UTF-16");
  CHECK_CONTAINS(why_unreadable("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"),
                 "ssh-keygen -p -m PKCS8");
  CHECK_CONTAINS(why_unreadable(std::string(kMaxKeyFileBytes + 1, 'x')), std::to_string(kMaxKeyFileBytes));
}

TEST(key_file_names_the_damaged_line) {
  std::string text = folder().text("key.pem");
  std::string not_base64 = "first line\n" + text;
  not_base64[not_base64.size() / 2] = '*';
  CHECK_CONTAINS(why_unreadable(not_base64), "PRIVATE KEY at line 2 is not base64 at line");
  CHECK_CONTAINS(why_unreadable(text.substr(0, text.size() / 2)), "has no END line");
  std::string wrong_end = text;
  replace_once(wrong_end, "-----END PRIVATE KEY", "-----END CERTIFICATE");
  CHECK_CONTAINS(why_unreadable(wrong_end), "ends as CERTIFICATE");
  CHECK_CONTAINS(why_unreadable("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
                 "no known form of private key");
}

TEST(key_file_tells_damage_from_a_wrong_passphrase) {
  std::string der = folder().text("aes256.der");
  CHECK_CONTAINS(why_unreadable(der.substr(0, der.size() - 1)), "neither PEM nor DER");
  std::string unknown_cipher = der;
  // aes-256-cbc 2.16.840.1.101.3.4.1.42 becomes an identifier nobody has assigned.
  replace_once(unknown_cipher, "\x60\x86\x48\x01\x65\x03\x04\x01\x2A", "\x60\x86\x48\x01\x65\x03\x04\x01\x7A");
  CHECK_CONTAINS(why_unreadable(unknown_cipher), "2.16.840.1.101.3.4.1.122");
  CHECK_CONTAINS(why_unreadable(without_last_ciphertext_byte(der)), "cut off");
  folder().run("openssl rsa -traditional -in key.pem -outform DER -out pkcs1.der");
  std::string pkcs1 = folder().text("pkcs1.der");
  pkcs1[5] = '\x7F';  // tag or length of the version
  CHECK_CONTAINS(why_unreadable(pkcs1), "KEYFILE");
}

TEST(key_file_notices_numbers_that_do_not_fit_together) {
  folder().run("openssl rsa -traditional -in key.pem -outform DER -out pkcs1.der");
  std::string der = folder().text("pkcs1.der");
  // PKCS#1 of 2048 bits: byte 100 is in the modulus, 400 in the private exponent, 600 in the first prime.
  for (const std::vector<size_t>& places : {std::vector<size_t>{100}, std::vector<size_t>{400, 600}}) {
    std::string damaged = der;
    for (size_t at : places) damaged[at] = static_cast<char>(damaged[at] ^ 1);
    CHECK_CONTAINS(why_unreadable(damaged), "RSA numbers do not fit together");
  }
}

TEST(key_file_bounds_key_derivation) {
  CHECK_CONTAINS(why_unreadable(pbkdf2_bomb(2147483647)), "2147483647 rounds");
  Passphrase passphrase = right();
  auto decode = [&](const char* file, const KdfLimits& limits) {
    return decode_private_key(folder().read(file), &passphrase, file, limits);
  };
  // OpenSSL 3 derives with 2048 rounds; a PKCS#12 file once for its MAC and once for its key.
  CHECK_EQ(decode("aes256.der", {2048}).public_key()->bits(), 2048);
  CHECK_THROWS_CODE(decode("aes256.der", {2047}), Code::kKeyUnreadable);
  CHECK_EQ(decode("key.p12", {4096}).public_key()->bits(), 2048);
  CHECK_THROWS_CODE(decode("key.p12", {4095}), Code::kKeyUnreadable);
  // OpenSSL's scrypt: N = 16384, r = 8, p = 1, which is 16 MiB and one block.
  CHECK_EQ(decode("scrypt.der", {0, 17 << 20, 17 << 20}).public_key()->bits(), 2048);
  CHECK_THROWS_CODE(decode("scrypt.der", {0, 16 << 20, 17 << 20}), Code::kKeyUnreadable);
  CHECK_THROWS_CODE(decode("scrypt.der", {0, 17 << 20, 16 << 20}), Code::kKeyUnreadable);
}

TEST(key_file_runs_scrypt_beyond_openssls_own_bound) {
  // r = 32 asks for 64 MiB, which OpenSSL's PKCS#5 code refuses; here it is run and gives another key.
  std::string der = folder().text("scrypt.der");
  replace_once(der, std::string("\x02\x02\x40\x00\x02\x01\x08\x02\x01\x01", 10),
               std::string("\x02\x02\x40\x00\x02\x01\x20\x02\x01\x01", 10));
  Passphrase passphrase = right();
  CHECK_THROWS_CODE(decode_private_key(ByteView::of(der), &passphrase, "scrypt.der"), Code::kWrongPassphrase);
}

TEST(key_file_reports_the_operating_system) {
  Error missing = CHECK_THROWS_CODE(load_private_key(folder().path("nothing"), nullptr), Code::kIo);
  CHECK_EQ(missing.errno_name(), "ENOENT");
  CHECK_EQ(missing.path(), folder().path("nothing"));
  CHECK_EQ(CHECK_THROWS_CODE(probe_key_file(folder().path("nothing")), Code::kIo).errno_name(), "ENOENT");
  CHECK_EQ(CHECK_THROWS_CODE(load_private_key("/", nullptr), Code::kIo).errno_name(), "EISDIR");
  CHECK_THROWS_CODE(load_private_key("/dev/zero", nullptr), Code::kIo);
  CHECK(probe_key_file("/dev/zero").private_keys.empty());
  CHECK(probe_key_file("/").private_keys.empty());
}

TEST(key_file_refuses_rsa_of_three_primes) {
  folder().run("openssl genrsa -primes 3 -out three.pem 2048; openssl rsa -traditional -in three.pem -out three1.pem");
  for (const char* file : {"three.pem", "three1.pem"}) {
    Error error = CHECK_THROWS_CODE(load_private_key(folder().path(file), nullptr), Code::kKeyUnreadable);
    CHECK_CONTAINS(error.what(), "RSA");
  }
}

TEST(key_file_loads_keys_that_are_not_rsa) {
  folder().run("openssl ecparam -genkey -name prime256v1 -out ec.pem");  // EC PARAMETERS, then SEC 1
  folder().run("openssl pkcs8 -topk8 -nocrypt -in ec.pem -out ec8.pem");
  for (const char* file : {"ec.pem", "ec8.pem"}) {
    PrivateKey key = load_private_key(folder().path(file), nullptr);
    CHECK_EQ(key.public_key()->algorithm(), "EC");
    CHECK_EQ(key.public_key()->bits(), 256);
  }
  folder().run("openssl ecparam -genkey -name secp256k1 -noout -out k1.pem");
  // A curve no FIPS module has: the key is named, not called damaged.
  if (Module::get().mode() == FipsMode::kOff) {
    CHECK_EQ(load_private_key(folder().path("k1.pem"), nullptr).public_key()->algorithm(), "EC");
  } else {
    Error error = CHECK_THROWS_CODE(load_private_key(folder().path("k1.pem"), nullptr), Code::kKeyUnreadable);
    CHECK_CONTAINS(error.what(), "(EC)");
  }
}

TEST(key_file_probe_of_other_things_is_empty) {
  for (const std::string& content : {std::string(), std::string("hello"), std::string(5000, '\xFF'),
                                     std::string("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")}) {
    KeyFileContents contents = probe_key_bytes(ByteView::of(content));
    CHECK(contents.private_keys.empty() && contents.public_key_hints.empty());
  }
}

}  // namespace
}  // namespace callseal::test
