// PKCS#12 files of unusual make.
#include <openssl/evp.h>

#include "key_file.h"
#include "openssl_folder.h"
#include "test.h"

namespace callseal::test {
namespace {

const OpensslFolder& folder() {
  static const OpensslFolder instance;
  static const bool made = [] {
    instance.run("openssl req -x509 -nodes -days 1 -newkey rsa:2048 -subj /CN=pkcs12 -keyout key.pem -out cert.pem");
    return true;
  }();
  (void)made;
  return instance;
}

// The file `out` that `openssl pkcs12 -export` makes of the key with these options.
std::string export_key(const std::string& out, const std::string& options) {
  folder().run("openssl pkcs12 -export -inkey key.pem -in cert.pem -out " + out + " " + options);
  return folder().path(out);
}

Passphrase passphrase(const char* text) {
  return Passphrase::from_bytes(ByteView::of(text));
}

void check_is_the_key(const PrivateKey& key) {
  CHECK(key.public_key()->spki_sha256() ==
        load_private_key(folder().path("key.pem"), nullptr).public_key()->spki_sha256());
}

// Made by OpenSSL 3.5.7: `openssl pkcs12 -export -pbmac1_pbkdf2 -nocerts -passout pass:fixture` of a throw-away key.
constexpr char kPbmac1[] =
    "MIIGBgIBAzCCBYAGCSqGSIb3DQEHAaCCBXEEggVtMIIFaTCCBWUGCSqGSIb3DQEHAaCCBVYEggVSMIIFTjCCBUoGCyqGSIb3DQEMCgECoIIFOT"
    "CCBTUwXwYJKoZIhvcNAQUNMFIwMQYJKoZIhvcNAQUMMCQEEBU/+tNYZBcXxxUhnRuE3e0CAggAMAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAEq"
    "BBDCdWdvN/+LIIMsNly/bxzbBIIE0MbwcPmANrqxS8m97g58zPNj1XpkfpKgLXIve0AlOkDtQQ4Nonyug4oZ5733L31FlTjXS1osWQKlDMMX2i"
    "xtjSHBcQ2bu/vIKh2RWgQjJLQvurnoGQNgwWzN9ETj96tR6RndCz6qgxRo6pUsVZBtgoE89vXPN6febBjm69NVLolXVH7ImH+L+tQQRReC1GXp"
    "mKUl6Znb8Y4oxh3vCSwKX0QaLn3tbxOmmL9B6J3wzjIx5BxHCs5Itxwc1HjWwK4/PjvIwi+24aaIyFJkLChaHRs4/oRX9M+P34Tecpxs1rPE0v"
    "fzKdCk/LyJPAjhmHs9qnIdzuIyATBDpucIhGvR67TfKUQ50A1JIEClhnJta2MrQQh5IZzzUCZleceZ+2e41eXgNWULIjaI6Na4+DXpWn95BZD7"
    "awuzXb/dhu9Vdk33EszezVZvYVrl/ko0gF9Y5IcHPk/SS1EXWsaq2qK9IGzndZ4WqYv/n4h8gaLOsUv8BP8dStuaTvpIW5yRt3uUXM3LsE3SgP"
    "561sNz6QsxEmummNWI9ysGlWzu/P5WC3VW3dYX1BwxXkguM/81ykOD4hUGVOuWEIj9x9qh5lzjQgzsEf50ePsXmUuZjWHACe8jGJQIcjWtxlyC"
    "4FeSKd0oonaGQOtoZb9saBG5fGEYA3omD7eALx7KSRNqJ0MlXHiKQO30GmGn3YitQhHGnzC6SMobPcCkRC/VbRoIuH7wFBS1FVDjGb2EomTRGa"
    "Cl55v8R6HihYJqdcEdoz6fzxCyNePxIf8Ckm2AtHuMxt00M4deIDVw3sNSFumC4hzBBW0KfNznrs44cc5yTaH52WLDz02FQ7Uf3q7whz9eItFZ"
    "iZVs7yjPQpx4DV+MupwIUA4gy0aTQCDn7r9xdDSQxKNzEUPsyC1ynPNnG7k9MRODZ6L+SbkdPTKpKbkusmVbres42V7i3qgAQb2xvnUa2YHyFo"
    "8Li2MPK+FZo/GzpdVmd24Elgtpz4sosIUBTCNG7X+p2eUfQT8PwMq/5vnktiPP7vACwcRgADahh8vnHX441i3RdhGQR3VIkZ/f654ux4Jk8e7y"
    "/85X4gHXwuYgpVJLcKtgpUSAQJBJDN87tWAB4zR7seqYZXBoPd5YM8UIPW7V23sUNjAPtCZgYgLa1hQ0o0WzZ/uF7YqBmCvcNTfconmIWh7azf"
    "fEpLGEcjJ/Gi3dUM+9X3qF7YAcEeLYptWNyZ4TdgwnQxOPa4sWIqKc2U+JKuNhXg052n2tjnuXpVy6TUtP7ptqGLjgrsRCLYZEjMgy5eejeXCB"
    "Tb7aTQd3wSQIntf7yhE6abD5Kj8aneqQOmQCDpRWxgjkCIv9CAP+1SfE2Q1evFnLSOvhdqFVMYgsiEVYMUyFXQQTDee6050jq6AnWbZKm/Zkms"
    "LCYGstOQrE77Ziyy3etUavG4qVLD8UP8C9+av8Iui5hEhpJM9OKqg4Y9qF4tE4NfjatEzzQs70ubOoPy1/n2P4WyXx3V+p6VAmZCyNgZKFZFiF"
    "SIBHsuciHBgsB7AR3JorA77k3Be+6gKdnu4zGmYffgoQHzi0dwYNtapNdwmMASiKZZvOexZl9Sv6Rrx62NjmBt9E84Fb1cFLqJoaBRLgn+Ra0j"
    "qzznlb0TBswB+3wjWp6Ab7MH0wbTBJBgkqhkiG9w0BBQ4wPDAsBgkqhkiG9w0BBQwwHwQIHTVT9w6pUXgCAggAAgEgMAwGCCqGSIb3DQIJBQAw"
    "DAYIKoZIhvcNAgkFAAQgIWb/wzKhR4nMk5Ww0oVjDfeTZBXUGQb6fnfBM4PUJg4ECB01U/cOqVF4AgIIAA==";

TEST(pkcs12_with_an_empty_passphrase_needs_none) {
  std::string path = export_key("empty.p12", "-passout pass:");
  check_is_the_key(load_private_key(path, nullptr));
  Passphrase wrong = passphrase("something");
  CHECK_THROWS_CODE(load_private_key(path, &wrong), Code::kWrongPassphrase);
}

TEST(pkcs12_without_encryption_needs_no_passphrase_but_its_mac_is_checked) {
  std::string path = export_key("plain.p12", "-keypbe NONE -certpbe NONE -passout pass:x");
  CHECK_THROWS_CODE(load_private_key(path, nullptr), Code::kPassphraseRequired);
  Passphrase right = passphrase("x");
  check_is_the_key(load_private_key(path, &right));
  check_is_the_key(
      load_private_key(export_key("bare.p12", "-keypbe NONE -certpbe NONE -nomac -passout pass:x"), nullptr));
}

TEST(pkcs12_without_mac) {
  std::string path = export_key("nomac.p12", "-nomac -passout pass:right");
  Passphrase right = passphrase("right"), wrong = passphrase("wrong");
  PrivateKey key = load_private_key(path, &right);
  check_is_the_key(key);
  // Without the PKCS#12 derivation of a MAC key, PBES2 is all there is, and the module does it.
  CHECK_EQ(key.unwrapped_outside(), "");
  CHECK_THROWS_CODE(load_private_key(path, &wrong), Code::kWrongPassphrase);
  CHECK_THROWS_CODE(load_private_key(path, nullptr), Code::kPassphraseRequired);
}

TEST(pkcs12_takes_utf8_passphrases) {
  for (const char* options : {"", "-legacy -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES"}) {
    std::string path = export_key("utf8.p12", std::string(options) + " -passout pass:gr\xC3\xBC\xC3\x9F");
    Passphrase right = passphrase("gr\xC3\xBC\xC3\x9F"), wrong = passphrase("gru\xC3\x9F");
    check_is_the_key(load_private_key(path, &right));
    CHECK_THROWS_CODE(load_private_key(path, &wrong), Code::kWrongPassphrase);
  }
}

TEST(pkcs12_with_nothing_but_certificates) {
  folder().run("openssl pkcs12 -export -nokeys -in cert.pem -passout pass:right -out certs.p12");
  Passphrase right = passphrase("right");
  Error error = CHECK_THROWS_CODE(load_private_key(folder().path("certs.p12"), &right), Code::kKeyUnreadable);
  CHECK_CONTAINS(error.what(), "no private key");
}

TEST(pkcs12_that_was_altered) {
  export_key("good.p12", "-passout pass:right");
  Passphrase right = passphrase("right");
  std::string good = folder().text("good.p12");
  int refused = 0;
  for (size_t at = 0; at < good.size(); at += 7) {
    std::string altered = good;
    altered[at] = static_cast<char>(altered[at] ^ 0x10);
    try {
      check_is_the_key(decode_private_key(ByteView::of(altered), &right, "altered"));
    } catch (const Error& error) {
      CHECK(error.code() == Code::kWrongPassphrase || error.code() == Code::kKeyUnreadable);
      refused++;
    }
  }
  // Nearly every byte matters; a few, such as the tag of the NULL behind an algorithm, change nothing.
  CHECK(refused > static_cast<int>(good.size() / 7 * 9 / 10));
}

TEST(pkcs12_with_pbmac1) {
  Bytes der(sizeof kPbmac1);
  int length = EVP_DecodeBlock(der.data(), reinterpret_cast<const uint8_t*>(kPbmac1), sizeof kPbmac1 - 1);
  CHECK(length > 0);
  der.resize(static_cast<size_t>(length));
  Passphrase right = passphrase("fixture"), wrong = passphrase("Fixture");
  PrivateKey key = decode_private_key(der, &right, "pbmac1.p12");
  CHECK_EQ(key.public_key()->bits(), 2048);
  CHECK_EQ(key.unwrapped_outside(), "");
  CHECK_THROWS_CODE(decode_private_key(der, &wrong, "pbmac1.p12"), Code::kWrongPassphrase);
}

}  // namespace
}  // namespace callseal::test
