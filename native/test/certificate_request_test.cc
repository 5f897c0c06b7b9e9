// Requests for certificates, read and verified by the real `openssl`.
#include "certificate.h"
#include "key_file.h"
#include "openssl_folder.h"
#include "test.h"

namespace callseal::test {
namespace {

const PrivateKey& key() {
  static const PrivateKey instance = PrivateKey::generate(2048);
  return instance;
}

// A key that is used by others, as one in a token is, and keeps what it was asked to sign.
class Elsewhere : public RemotePrivateKey {
 public:
  explicit Elsewhere(bool honest) : honest_(honest) {}
  Bytes sign(SignatureScheme scheme, ByteView data) const override {
    CHECK(scheme == SignatureScheme::kPkcs1Sha256);
    return honest_ ? key().sign(scheme, data) : Bytes(256, 0);
  }
  SecretBytes decrypt_oaep(ByteView) const override { throw Error(Code::kTampered, "not used"); }

 private:
  bool honest_;
};

PrivateKey key_elsewhere(bool honest) {
  return PrivateKey(std::make_shared<const Elsewhere>(honest), key().public_key(), "elsewhere");
}

TEST(request_is_verified_by_openssl) {
  OpensslFolder folder;
  folder.write_text("request.csr",
                    create_request(key(), {{"C", "DE"}, {"O", "M\xC3\xBCller / S\xC3\xB6hne"}, {"CN", "server-1"}}));
  folder.run("openssl req -in request.csr -verify -noout");
  CHECK_CONTAINS(folder.text("log.txt"), "verify OK");
  folder.run("openssl req -in request.csr -noout -pubkey -out public.pem");
  CHECK_EQ(folder.text("public.pem"), key().public_key()->to_pem());
  folder.run("openssl req -in request.csr -noout -text -nameopt utf8,sep_comma_plus_space");
  std::string text = folder.text("log.txt");
  CHECK_CONTAINS(text, "Subject: C=DE, O=M\xC3\xBCller / S\xC3\xB6hne, CN=server-1");
  CHECK_CONTAINS(text, "Version: 1 (0x0)");
  CHECK_CONTAINS(text, "Signature Algorithm: sha256WithRSAEncryption");
}

// Byte for byte what `openssl req` makes: RSASSA-PKCS1-v1_5 is deterministic.
TEST(request_is_the_one_that_openssl_makes) {
  OpensslFolder folder;
  folder.run("openssl genrsa -out key.pem 2048");
  folder.run("openssl req -new -utf8 -key key.pem -subj '/C=US/O=MyCompany/CN=a' -out theirs.csr");
  PrivateKey same = load_private_key(folder.path("key.pem"), nullptr);
  CHECK_EQ(create_request(same, {{"C", "US"}, {"O", "MyCompany"}, {"CN", "a"}}), folder.text("theirs.csr"));
}

TEST(request_of_a_key_elsewhere) {
  OpensslFolder folder;
  X509Subject subject{{"CN", "token"}};
  CHECK_EQ(create_request(key_elsewhere(true), subject), create_request(key(), subject));
  folder.write_text("bad.csr", create_request(key_elsewhere(false), subject));
  // OpenSSL 3.0's `req -verify` exits 0 whatever it finds.
  folder.run("openssl req -in bad.csr -verify -noout || true");
  CHECK_CONTAINS(folder.text("log.txt"), "verify failure");
}

TEST(certificate_of_a_key_elsewhere) {
  OpensslFolder folder;
  folder.write_text("own.crt", create_certificate(key_elsewhere(true), {{"CN", "token"}}, 30));
  folder.run("openssl verify -CAfile own.crt own.crt");
}

TEST(key_elsewhere_is_not_given_out) {
  PrivateKey remote = key_elsewhere(true);
  CHECK_THROWS_CODE(remote.pkey(), Code::kNotExportable);
  CHECK_THROWS_CODE(remote.unwrap(Bytes(256)), Code::kTampered);
  CHECK(!remote.try_unwrap(Bytes(256)).has_value());
  CHECK_EQ(remote.unwrapped_outside(), "elsewhere");
}

TEST(request_refuses_bad_subjects_and_keys) {
  CHECK_THROWS_CODE(create_request(key(), {}), Code::kInvalidArgument);
  CHECK_THROWS_CODE(create_request(key(), {{"NOSUCH", "x"}}), Code::kInvalidArgument);
  CHECK_THROWS_CODE(create_request(key(), {{"CN", ""}}), Code::kInvalidArgument);
  CHECK_THROWS_CODE(create_request(key(), {{"C", "Germany"}}), Code::kInvalidArgument);
  OpensslFolder folder;
  folder.run("openssl ecparam -genkey -name secp521r1 -out ec.pem");
  PrivateKey other = load_private_key(folder.path("ec.pem"), nullptr);
  CHECK_THROWS_CODE(create_request(other, {{"CN", "x"}}), Code::kNotApproved);
}

}  // namespace
}  // namespace callseal::test
