// Certificates made by us, checked by the real `openssl`.
#include <time.h>

#include "certificate.h"
#include "openssl_folder.h"
#include "test.h"

namespace callseal::test {
namespace {

using Subject = std::vector<std::pair<std::string, std::string>>;

const PrivateKey& key() {
  static const PrivateKey instance = PrivateKey::generate(2048);
  return instance;
}

TEST(certificate_create_passes_openssl_verify) {
  OpensslFolder folder;
  const Subject subject = {
      {"C", "DE"}, {"O", "J\xC3\xB6rg & S\xC3\xB6hne, \"Ton\""}, {"CN", "callseal"}, {"emailAddress", "a@b.example"}};
  time_t before = time(nullptr);
  folder.write_text("cert.pem", create_certificate(key(), subject, 365));
  time_t after = time(nullptr);
  folder.run("openssl verify -x509_strict -check_ss_sig -CAfile cert.pem cert.pem");
  folder.run("openssl x509 -in cert.pem -noout -text >text.txt");
  std::string text = folder.text("text.txt");
  CHECK_CONTAINS(text, "Version: 3 (0x2)");
  CHECK_CONTAINS(text, "X509v3 Basic Constraints: critical\n                CA:TRUE");
  CHECK_CONTAINS(text, "X509v3 Subject Key Identifier");
  CHECK_CONTAINS(text, "X509v3 Authority Key Identifier");
  CHECK_CONTAINS(text, "Signature Algorithm: sha256WithRSAEncryption");
  std::vector<RecipientEntry> read = read_recipients(folder.read("cert.pem"));
  CHECK_EQ(read.size(), size_t{1});
  const CertificateInfo& info = *read[0].certificate;
  CHECK_EQ(info.subject, "emailAddress=a@b.example,CN=callseal,O=J\xC3\xB6rg & S\xC3\xB6hne\\, \\\"Ton\\\",C=DE");
  CHECK_EQ(info.issuer, info.subject);
  CHECK(info.not_before >= before - 60 && info.not_before <= after - 60);
  CHECK_EQ(info.not_after - info.not_before, int64_t{365} * 86400 + 60);
  CHECK(!info.serial.empty() && info.serial.size() <= 20 && (info.serial.size() < 20 || info.serial[0] < 0x80));
  CHECK(read[0].public_key->spki_sha256() == key().public_key()->spki_sha256());
}

TEST(certificate_create_makes_another_serial_each_time) {
  auto serial = [] {
    return read_recipients(ByteView::of(create_certificate(key(), {{"CN", "x"}}, 1)))[0].certificate->serial;
  };
  CHECK(serial() != serial());
}

TEST(certificate_create_refuses_bad_subjects_and_days) {
  auto refusal = [](const Subject& subject, int days) {
    return std::string(CHECK_THROWS_CODE(create_certificate(key(), subject, days), Code::kInvalidArgument).what());
  };
  CHECK_CONTAINS(refusal({}, 1), "empty");
  CHECK_CONTAINS(refusal({{"CN", ""}}, 1), "CN is empty");
  CHECK_CONTAINS(refusal({{"CN", "x"}, {"Company", "x"}}, 1), "\"Company\"");
  CHECK_CONTAINS(refusal({{"C", "Germany"}}, 1), "C is refused: string too long");
  CHECK_CONTAINS(refusal({{"CN", "\xC3"}}, 1), "CN is refused: invalid utf8string");
  CHECK_CONTAINS(refusal({{"CN", "x"}}, 0), "at least 1 day");
  CHECK_CONTAINS(refusal({{"CN", "x"}}, 2147483647), "9999");
}

}  // namespace
}  // namespace callseal::test
