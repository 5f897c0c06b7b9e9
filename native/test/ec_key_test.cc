// Keys on P-256 and P-384: read and written in every form, used, certified, and gone from memory afterwards.
#include "ec_key.h"

#include <openssl/core_names.h>

#include <algorithm>

#include "certificate.h"
#include "error.h"
#include "freed_memory.h"
#include "key_file.h"
#include "openssl_folder.h"
#include "test.h"

namespace callseal::test {
namespace {

struct Curve {
  EcCurve curve;
  SignatureScheme scheme;
  const char* name;
  const char* oid;
};

constexpr Curve kCurves[] = {
    {EcCurve::kP256, SignatureScheme::kEcdsaP256Sha256, "P-256", "prime256v1"},
    {EcCurve::kP384, SignatureScheme::kEcdsaP384Sha384, "P-384", "secp384r1"},
};

constexpr char kPassphrase[] = "a passphrase of more than sixteen bytes";
constexpr const char* kForms[] = {"pkcs8.pem", "pkcs8.der",    "sec1.pem", "sec1.der",
                                  "pbes2.pem", "dek-info.pem", "key.p12"};

Passphrase passphrase() {
  return Passphrase::from_bytes(ByteView::of(kPassphrase));
}

// The same key in every form.
void make_forms(const OpensslFolder& folder, const Curve& curve) {
  folder.write_text("pass.txt", kPassphrase);
  const std::string algorithm = std::string("-algorithm EC -pkeyopt ec_paramgen_curve:") + curve.name;
  folder.run("openssl genpkey " + algorithm + " -out pkcs8.pem");
  folder.run("openssl pkey -in pkcs8.pem -outform DER -out pkcs8.der");
  folder.run("openssl ec -in pkcs8.pem -out sec1.pem && openssl ec -in pkcs8.pem -outform DER -out sec1.der");
  folder.run("openssl pkcs8 -topk8 -in pkcs8.pem -passout file:pass.txt -out pbes2.pem");
  folder.run("openssl ec -in pkcs8.pem -aes256 -passout file:pass.txt -out dek-info.pem");
  folder.run("openssl pkcs12 -export -inkey pkcs8.pem -nocerts -passout file:pass.txt -out key.p12");
}

TEST(ec_key_loads_from_every_form_and_signs) {
  for (const Curve& curve : kCurves) {
    OpensslFolder folder;
    make_forms(folder, curve);
    folder.run("openssl pkey -in pkcs8.pem -pubout -out public.pem");
    const Passphrase right = passphrase();
    for (const char* form : kForms) {
      const PrivateKey key = load_private_key(folder.path(form), &right);
      CHECK_EQ(key.public_key()->to_pem(), folder.text("public.pem"));
      CHECK(key.public_key()->curve() == curve.curve);
      CHECK(key.public_key()->writer_scheme() == curve.scheme);
      const Bytes data = sample_bytes(100);
      const Bytes signature = key.sign(curve.scheme, data);
      CHECK_EQ(signature.size(), key.public_key()->signature_length(curve.scheme));
      CHECK_EQ(signature.size(), 2 * ec_number_bytes(curve.curve));
      CHECK(key.public_key()->verify(curve.scheme, data, signature));
      CHECK(!key.public_key()->verify(curve.scheme, sample_bytes(99), signature));
    }
  }
}

TEST(ec_key_signatures_are_those_of_openssl) {
  for (const Curve& curve : kCurves) {
    OpensslFolder folder;
    make_forms(folder, curve);
    folder.run("openssl pkey -in pkcs8.pem -pubout -out public.pem");
    const PrivateKey key = load_private_key(folder.path("pkcs8.pem"), nullptr);
    const Bytes data = sample_bytes(1000);
    folder.write("data", data);
    folder.write("signature", ecdsa_to_der(key.sign(curve.scheme, data), curve.curve));
    const std::string digest = curve.curve == EcCurve::kP256 ? "-sha256" : "-sha384";
    folder.run("openssl dgst " + digest + " -verify public.pem -signature signature data");
    folder.run("openssl dgst " + digest + " -sign pkcs8.pem -out theirs data");
    CHECK(key.public_key()->verify(curve.scheme, data, ecdsa_from_der(folder.read("theirs"), curve.curve)));
  }
}

TEST(ec_key_verifies_no_other_signature) {
  const PrivateKey key = PrivateKey::generate(EcCurve::kP256);
  const PublicKey& public_key = *key.public_key();
  const Bytes data = sample_bytes(32);
  const Bytes right = key.sign(SignatureScheme::kEcdsaP256Sha256, data);
  for (size_t i = 0; i < right.size(); ++i) {
    Bytes wrong = right;
    wrong[i] ^= 1;
    CHECK(!public_key.verify(SignatureScheme::kEcdsaP256Sha256, data, wrong));
  }
  for (size_t length : {size_t{0}, size_t{1}, size_t{63}, size_t{65}, size_t{96}}) {
    Bytes wrong = right;
    wrong.resize(length);
    CHECK(!public_key.verify(SignatureScheme::kEcdsaP256Sha256, data, wrong));
  }
  CHECK(!public_key.verify(SignatureScheme::kEcdsaP256Sha256, data, Bytes(64)));
  CHECK(!public_key.verify(SignatureScheme::kEcdsaP256Sha256, data, Bytes(64, 0xFF)));
}

TEST(ec_key_serves_no_other_scheme) {
  const PrivateKey ec = PrivateKey::generate(EcCurve::kP256);
  const PrivateKey rsa = PrivateKey::generate(2048);
  CHECK(rsa.public_key()->writer_scheme() == SignatureScheme::kPssSha256);
  CHECK_EQ(rsa.public_key()->signature_length(SignatureScheme::kPssSha256), size_t{256});
  for (SignatureScheme scheme :
       {SignatureScheme::kPssSha256, SignatureScheme::kPkcs1Sha256, SignatureScheme::kEcdsaP384Sha384}) {
    CHECK_THROWS_CODE(ec.sign(scheme, {}), Code::kNotApproved);
    CHECK_THROWS_CODE(ec.public_key()->verify(scheme, {}, Bytes(64)), Code::kNotApproved);
  }
  CHECK_THROWS_CODE(rsa.sign(SignatureScheme::kEcdsaP256Sha256, {}), Code::kNotApproved);
  CHECK_THROWS_CODE(rsa.public_key()->verify(SignatureScheme::kEcdsaP256Sha256, {}, Bytes(64)), Code::kNotApproved);
  CHECK_THROWS_CODE(ec.decrypt_oaep(Bytes(256)), Code::kNotApproved);
}

TEST(ec_key_saved_is_what_openssl_writes) {
  for (const Curve& curve : kCurves) {
    OpensslFolder folder;
    const PrivateKey key = PrivateKey::generate(curve.curve);
    save_private_key(key, folder.path("plain.pem"), nullptr);
    folder.run("openssl pkcs8 -topk8 -nocrypt -in plain.pem -out again.pem && openssl pkey -in plain.pem -check");
    CHECK_EQ(folder.text("again.pem"), folder.text("plain.pem"));
    const Passphrase right = passphrase();
    save_private_key(key, folder.path("sealed.pem"), &right);
    CHECK(load_private_key(folder.path("sealed.pem"), &right).public_key()->spki_sha256() ==
          key.public_key()->spki_sha256());
  }
}

TEST(ec_key_files_that_are_damaged_or_rare) {
  OpensslFolder folder;
  make_forms(folder, kCurves[0]);
  const Bytes der = folder.read("sec1.der");
  // The private number follows the version, the public key ends the file.
  for (size_t at : {size_t{10}, der.size() - 1}) {
    Bytes damaged = der;
    damaged[at] ^= 1;
    CHECK_THROWS_CODE(decode_private_key(damaged, nullptr, "key"), Code::kKeyUnreadable);
  }
  for (size_t length = 1; length < der.size(); ++length) {
    CHECK_THROWS_CODE(decode_private_key(ByteView(der.data(), length), nullptr, "key"), Code::kKeyUnreadable);
  }
  folder.run("openssl ec -in pkcs8.pem -no_public -outform DER -out short.der");
  const PrivateKey whole = load_private_key(folder.path("sec1.der"), nullptr);
  const PrivateKey computed = load_private_key(folder.path("short.der"), nullptr);
  CHECK(computed.public_key()->spki_sha256() == whole.public_key()->spki_sha256());
  folder.run("openssl ec -in pkcs8.pem -conv_form compressed -out compressed.pem");
  const PrivateKey compressed = load_private_key(folder.path("compressed.pem"), nullptr);
  CHECK(compressed.public_key()->curve() == EcCurve::kP256);
}

TEST(ec_key_certificates_are_for_signing) {
  for (const Curve& curve : kCurves) {
    OpensslFolder folder;
    const PrivateKey key = PrivateKey::generate(curve.curve);
    folder.write_text("cert.pem", create_certificate(key, {{"CN", "host"}}, 30));
    folder.run("openssl verify -check_ss_sig -CAfile cert.pem cert.pem");
    folder.run("openssl x509 -in cert.pem -noout -text >text.txt");
    const std::string text = folder.text("text.txt");
    CHECK_CONTAINS(text, "X509v3 Key Usage: critical\n                Digital Signature\n");
    CHECK_CONTAINS(text, "CA:FALSE");
    CHECK_CONTAINS(
        text, std::string("Signature Algorithm: ecdsa-with-SHA") + (curve.curve == EcCurve::kP256 ? "256" : "384"));
    CHECK_CONTAINS(text, curve.oid);
    folder.write_text("request.pem", create_request(key, {{"CN", "host"}}));
    folder.run("openssl req -in request.pem -noout -verify");
  }
}

TEST(ec_key_leaves_nothing_in_freed_memory) {
  for (const Curve& curve : kCurves) {
    OpensslFolder folder;
    make_forms(folder, curve);
    const Passphrase right = passphrase();
    const PrivateKey key = load_private_key(folder.path("pkcs8.pem"), nullptr);
    SecretBytes number(ec_number_bytes(curve.curve));
    OSSL_PARAM parameters[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, number.data(), number.size()),
                               OSSL_PARAM_construct_end()};
    CHECK(EVP_PKEY_get_params(key.pkey(), parameters) == 1);
    const SecretBytes big_endian(number.rbegin(), number.rend());
    auto check = [&](auto&& work) {
      CHECK_EQ(freed_blocks_with(ByteView(number.data() + 8, 16), work), 0);
      CHECK_EQ(freed_blocks_with(ByteView(big_endian.data() + 8, 16), work), 0);
    };
    for (const char* form : kForms) check([&] { load_private_key(folder.path(form), &right); });
    check([&] { key.sign(curve.scheme, sample_bytes(10)); });
    check([&] {
      remove(folder.path("saved.pem").c_str());
      save_private_key(key, folder.path("saved.pem"), nullptr);
    });
  }
}

}  // namespace
}  // namespace callseal::test
