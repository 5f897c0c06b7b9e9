// Certificates and public keys made by the real `openssl`, read as recipients.
#include "certificate.h"

#include <time.h>

#include <algorithm>

#include "key_file.h"
#include "openssl_folder.h"
#include "test.h"

namespace callseal::test {
namespace {

const OpensslFolder& folder() {
  static const OpensslFolder instance;
  static const bool made = [] {
    instance.run(
        "openssl req -x509 -nodes -days 365 -newkey rsa:2048 -subj '/C=US/ST=CA/L=San Diego/O=MyCompany/OU=MySoftware/"
        "CN=MyCompany/emailAddress=support@mycompany.com' -keyout key.pem -out cert.pem");
    return true;
  }();
  (void)made;
  return instance;
}

std::vector<RecipientEntry> read_file(const std::string& name) {
  return read_recipients(folder().read(name));
}

RecipientEntry read_one(const std::string& name) {
  std::vector<RecipientEntry> recipients = read_file(name);
  CHECK_EQ(recipients.size(), size_t{1});
  return recipients[0];
}

std::string hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text;
  for (uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

// What `openssl x509 -noout <options>` prints behind the first "=", without colons.
std::string openssl_says(const std::string& file, const std::string& options) {
  folder().run("openssl x509 -noout -in " + file + " " + options + " >said.txt");
  std::string text = folder().text("said.txt");
  std::string value;
  for (char c : text.substr(text.find('=') + 1)) {
    if (c != ':' && c != '\n') value += c;
  }
  return value;
}

std::string iso(int64_t seconds) {
  time_t time = seconds;
  struct tm parts {};
  gmtime_r(&time, &parts);
  char text[40];
  strftime(text, sizeof text, "%Y-%m-%d %H%M%SZ", &parts);  // as openssl_says, without colons
  return text;
}

TEST(certificate_is_described_as_openssl_does) {
  RecipientEntry entry = read_one("cert.pem");
  CHECK_EQ(entry.public_key->algorithm(), "RSA");
  CHECK_EQ(entry.public_key->bits(), 2048);
  CHECK(entry.certificate.has_value());
  const CertificateInfo& info = *entry.certificate;
  CHECK_EQ(info.subject,
           "emailAddress=support@mycompany.com,CN=MyCompany,OU=MySoftware,O=MyCompany,L=San Diego,ST=CA,C=US");
  CHECK_EQ(info.issuer, info.subject);
  CHECK_EQ(hex(info.serial), openssl_says("cert.pem", "-serial"));
  CHECK_EQ(hex(ByteView(info.sha256.data(), info.sha256.size())), openssl_says("cert.pem", "-fingerprint -sha256"));
  CHECK_EQ(iso(info.not_before), openssl_says("cert.pem", "-startdate -dateopt iso_8601"));
  CHECK_EQ(iso(info.not_after), openssl_says("cert.pem", "-enddate -dateopt iso_8601"));
  CHECK_EQ(info.not_after - info.not_before, int64_t{365} * 86400);
  CHECK_EQ(info.signature_algorithm, "sha256WithRSAEncryption");
  CHECK(entry.public_key->spki_sha256() ==
        load_private_key(folder().path("key.pem"), nullptr).public_key()->spki_sha256());
}

TEST(certificate_comes_in_many_wrappings) {
  RecipientEntry expected = read_one("cert.pem");
  folder().run("openssl x509 -in cert.pem -outform DER -out cert.der");
  folder().run("openssl x509 -in cert.pem -trustout -addtrust serverAuth -setalias friendly -out trusted.pem");
  folder().run("sed 's/$/\\r/' cert.pem >crlf.pem; sed 's/ CERT/ X509 CERT/' cert.pem >old.pem");
  CHECK_CONTAINS(folder().text("trusted.pem"), "BEGIN TRUSTED CERTIFICATE");
  for (const char* name : {"cert.der", "trusted.pem", "crlf.pem", "old.pem"}) {
    RecipientEntry entry = read_one(name);
    CHECK(entry.certificate.has_value() && entry.certificate->sha256 == expected.certificate->sha256);
  }
  folder().run(
      "openssl pkey -in key.pem -pubout -out spki.pem; openssl pkey -in key.pem -pubout -outform DER -out spki.der");
  folder().run("openssl rsa -in key.pem -RSAPublicKey_out -out pkcs1.pem");
  folder().run("openssl rsa -in key.pem -RSAPublicKey_out -outform DER -out pkcs1.der");
  CHECK_CONTAINS(folder().text("pkcs1.pem"), "BEGIN RSA PUBLIC KEY");
  for (const char* name : {"spki.pem", "spki.der", "pkcs1.pem", "pkcs1.der"}) {
    RecipientEntry entry = read_one(name);
    CHECK(!entry.certificate.has_value());
    CHECK(entry.public_key->spki_sha256() == expected.public_key->spki_sha256());
  }
}

TEST(certificate_bundles_keep_their_order_and_pass_private_keys_over) {
  folder().run("openssl req -x509 -nodes -days 1 -newkey rsa:2048 -subj /CN=second -keyout key2.pem -out cert2.pem");
  folder().run("openssl pkey -in key.pem -pubout -out spki.pem; openssl x509 -in cert.pem -outform DER -out cert.der");
  folder().run("(echo text; cat key.pem cert.pem key2.pem cert2.pem spki.pem) >bundle.pem");
  std::vector<RecipientEntry> bundle = read_file("bundle.pem");
  CHECK_EQ(bundle.size(), size_t{3});
  CHECK_CONTAINS(bundle[0].certificate->subject, "MyCompany");
  CHECK_EQ(bundle[1].certificate->subject, "CN=second");
  CHECK(!bundle[2].certificate.has_value());
  folder().run(
      "openssl x509 -in cert2.pem -outform DER -out cert2.der; cat cert.der cert2.der >two.der; echo >>two.der");
  std::vector<RecipientEntry> two = read_file("two.der");
  CHECK_EQ(two.size(), size_t{2});
  CHECK_EQ(two[1].certificate->subject, "CN=second");
}

TEST(certificate_of_any_algorithm_is_described) {
  struct {
    const char* newkey;
    const char* algorithm;
    int bits;
  } const kinds[] = {{"rsa:1024", "RSA", 1024},
                     {"rsa:3072", "RSA", 3072},
                     {"ec -pkeyopt ec_paramgen_curve:P-256", "EC", 256},
                     {"ec -pkeyopt ec_paramgen_curve:secp256k1", "EC", 256},
                     {"ed25519", "ED25519", 256},
                     {"rsa-pss -pkeyopt rsa_keygen_bits:2048", "RSA-PSS", 2048}};
  for (const auto& kind : kinds) {
    folder().run(
        std::string("openssl req -x509 -nodes -days 1 -subj /CN=kind -keyout kind.key -out kind.pem -newkey ") +
        kind.newkey);
    RecipientEntry entry = read_one("kind.pem");
    CHECK_EQ(entry.public_key->algorithm(), std::string(kind.algorithm));
    CHECK_EQ(entry.public_key->bits(), kind.bits);
    CHECK_CONTAINS(entry.public_key->to_pem(), "BEGIN PUBLIC KEY");
    // A probe of the same file gives the hint.
    KeyFileContents contents = probe_key_file(folder().path("kind.pem"));
    CHECK_EQ(contents.public_key_hints.size(), size_t{1});
    CHECK(contents.public_key_hints[0] == entry.public_key->spki_sha256());
  }
}

TEST(certificate_names_cannot_forge_a_line) {
  struct {
    std::string value, text;
  } const names[] = {
      {"J\xC3\xB6rg, \xE6\x9D\xB1\xE4\xBA\xAC", "CN=J\xC3\xB6rg\\, \xE6\x9D\xB1\xE4\xBA\xAC"},  // UTF-8 stays
      {"a\x1B[2Kb\x7F", "CN=a\\1B[2Kb\\7F"},                                                    // terminal control
      {"a\xC2\x9B"
       "31mb",
       "CN=a\\C2\\9B31mb"},  // C1 control
      {"a\xE2\x80\xAE"
       "b\xE2\x81\xA6"
       "c",
       "CN=a\\E2\\80\\AEb\\E2\\81\\A6c"},  // bidi override, isolate
      {"a\xE2\x80\xA8"
       "b",
       "CN=a\\E2\\80\\A8b"},  // line separator
  };
  for (const auto& name : names) {
    folder().write_text("name.txt", name.value);
    folder().run("openssl req -x509 -key key.pem -utf8 -days 1 -subj \"/CN=$(cat name.txt)\" -out name.pem");
    CHECK_EQ(read_one("name.pem").certificate->subject, name.text);
  }
}

TEST(certificate_validity_reaches_from_1950_to_9999) {
  folder().write_text("ca.cnf",
                      "[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\nnew_certs_dir=.\nserial=serial\ndefault_md=sha256\n"
                      "policy=p\nunique_subject=no\n[p]\ncommonName=supplied\n");
  folder().run("touch index.txt; echo 00 >serial; openssl req -new -key key.pem -subj /CN=eternal -out eternal.csr");
  folder().run(
      "openssl ca -batch -config ca.cnf -selfsign -keyfile key.pem -in eternal.csr -startdate 19500101000000Z "
      "-enddate 99991231235959Z -out eternal.pem");
  const CertificateInfo info = *read_one("eternal.pem").certificate;
  CHECK_EQ(info.not_before, int64_t{-631152000});
  CHECK_EQ(info.not_after, int64_t{253402300799});
  CHECK(info.serial.empty());  // serial number 0
}

TEST(certificate_refusals_say_where) {
  auto refusal = [](const std::string& content) {
    return std::string(CHECK_THROWS_CODE(read_recipients(ByteView::of(content)), Code::kCertificateUnreadable).what());
  };
  std::string cert = folder().text("cert.pem");
  CHECK_CONTAINS(refusal(""), "empty");
  CHECK_CONTAINS(refusal("nonsense"), "neither PEM nor DER");
  CHECK_CONTAINS(refusal(folder().text("key.pem")), "it holds PRIVATE KEY");
  std::string damaged = cert + cert;
  damaged[cert.size() + cert.size() / 2] = '!';
  size_t lines = static_cast<size_t>(std::count(cert.begin(), cert.end(), '\n'));
  CHECK_CONTAINS(refusal(damaged), "CERTIFICATE at line " + std::to_string(lines + 1) + " is not base64");
  CHECK_CONTAINS(refusal(cert + "-----BEGIN CERTIFICATE-----\nMAAwAA==\n-----END CERTIFICATE-----\n"),
                 "neither a certificate nor a public key");
  folder().run("openssl req -new -key key.pem -subj /CN=r -out r.csr; sed 's/ REQUEST//' r.csr >csr.pem");
  CHECK_CONTAINS(refusal(folder().text("csr.pem")), "not a certificate that can be decoded");
  folder().run("openssl x509 -in cert.pem -outform DER -out cert.der; cp cert.der rest.der; echo rest >>rest.der");
  CHECK_CONTAINS(refusal(folder().text("rest.der")), "neither a certificate nor a public key");
  std::string many;
  for (size_t i = 0; i <= kMaxRecipientsPerFile; i++) many += folder().text("cert.der");
  CHECK_CONTAINS(refusal(many), std::to_string(kMaxRecipientsPerFile));
}

}  // namespace
}  // namespace callseal::test
