// Many threads on one key, one module, one passphrase: for ThreadSanitizer, which sees what they share.
#include <thread>

#include "envelope.h"
#include "error.h"
#include "hierarchy_samples.h"
#include "key_file.h"
#include "module.h"
#include "module_from_environment.h"
#include "openssl_folder.h"
#include "test.h"
#include "together.h"

namespace callseal::test {
namespace {

constexpr unsigned kThreads = 8;
constexpr int kRounds = 6;

bool same_key(const SecretKey& a, const SecretKey& b) {
  const ByteView left = a.bytes_for(a.use()), right = b.bytes_for(b.use());
  return std::equal(left.begin(), left.end(), right.begin(), right.end());
}

TEST(contention_for_the_module) {
  together(kThreads, [](unsigned thread) {
    for (int round = 0; round < kRounds; ++round) {
      const Module& module = Module::get();
      initialise_module_from_environment();
      CHECK(&Module::get() == &module);
      CHECK(module.decoding_context(thread % 2 == 0) != nullptr);
      CHECK(module.fetch_cipher("AES-256-CBC") != nullptr);
      CHECK(round > 0 || !module.status().algorithms.empty());
      CHECK_THROWS_CODE(module.fetch_cipher("NONE-SUCH"), Code::kNotApproved);
    }
  });
}

TEST(contention_for_an_rsa_key) {
  const auto shared = std::make_shared<const PrivateKey>(PrivateKey::generate(2048));
  const Bytes text = sample_bytes(500);
  together(kThreads, [&](unsigned) {
    const std::shared_ptr<const PrivateKey> key = shared;
    const PublicKey& public_key = *key->public_key();
    for (int round = 0; round < kRounds; ++round) {
      const SecretKey content = SecretKey::generate(KeyUse::kContent);
      Bytes wrapped(public_key.modulus_bytes());
      public_key.wrap(content, wrapped.data());
      CHECK(same_key(key->unwrap(wrapped), content));
      wrapped.back() ^= 1;
      CHECK(!key->try_unwrap(wrapped).has_value());
      const Bytes signature = key->sign(SignatureScheme::kPssSha256, text);
      CHECK(public_key.verify(SignatureScheme::kPssSha256, text, signature));
      CHECK(!public_key.verify(SignatureScheme::kPssSha256, wrapped, signature));
    }
  });
}

TEST(contention_for_a_key_that_its_owner_gives_up) {
  for (int round = 0; round < kRounds; ++round) {
    auto shared = std::make_shared<const PrivateKey>(PrivateKey::generate(EcCurve::kP256));
    std::vector<std::shared_ptr<const PrivateKey>> owners(kThreads, shared);
    shared.reset();
    // Whoever is last destroys it.
    together(kThreads, [&](unsigned thread) {
      const Bytes text = sample_bytes(50, thread);
      const Bytes signature = owners[thread]->sign(SignatureScheme::kEcdsaP256Sha256, text);
      CHECK(owners[thread]->public_key()->verify(SignatureScheme::kEcdsaP256Sha256, text, signature));
      owners[thread].reset();
    });
  }
}

TEST(contention_for_secret_keys) {
  const SecretKey content(KeyUse::kContent, sample_bytes(32)), gcm(KeyUse::kGcm, sample_bytes(32, 2)),
      wrap(KeyUse::kWrap, sample_bytes(32, 3));
  together(kThreads, [&](unsigned thread) {
    const Bytes text = sample_bytes(3000, thread), label = sample_bytes(9);
    for (int round = 0; round < kRounds; ++round) {
      const SecretKey copy = gcm;
      CHECK(gcm.decrypt_gcm(copy.encrypt_gcm(text, label), label) == SecretBytes(text.begin(), text.end()));
      CHECK(same_key(content.derive(KeyUse::kMac, label, text), content.derive(KeyUse::kMac, label, text)));
      CHECK(same_key(wrap.unwrap_key(wrap.wrap_key(content), KeyUse::kContent), content));
      CHECK_THROWS_CODE(wrap.unwrap_key(sample_bytes(40, thread), KeyUse::kGcm), Code::kTampered);
    }
  });
}

TEST(contention_for_the_key_hierarchy) {
  const Bytes header = sample_header();
  for (CipherKind cipher : ciphers()) {
    auto master = std::make_shared<const MasterKey>(sample_master_key(cipher));
    const std::shared_ptr<const WorkingKey> working = master->create_working_key(cipher, HashKind::kSha256).key;
    together(kThreads, [&](unsigned thread) {
      const Bytes entity = sample_entity(thread), plaintext = sample_bytes(200, thread);
      for (int round = 0; round < kRounds; ++round) {
        const Bytes record = protect(*working, header, entity, plaintext);
        CHECK(unprotect(*working, record, header.size(), entity) == plaintext);
        CHECK_THROWS_CODE(unprotect(*working, record, header.size(), sample_entity(thread + 1)), Code::kEntityMismatch);
        const CreatedWorkingKey made = master->create_working_key(cipher, HashKind::kSha1);
        const Bytes row = row_with(made.wrapped), mac = mac_of(*master, row);
        const auto opened = master->open_working_key(cipher, HashKind::kSha1, row, mac, made.wrapped);
        CHECK(unprotect(*opened, protect(*made.key, header, entity, plaintext), header.size(), entity) == plaintext);
      }
    });
  }
}

TEST(contention_for_envelopes_of_one_form) {
  const PrivateKey key = PrivateKey::generate(2048);
  EnvelopeTemplate form{Bytes(300), {{key.public_key(), 20}}, sample_bytes(10), sample_bytes(11)};
  form.validate();
  together(kThreads, [&](unsigned thread) {
    const Bytes prelude = sample_bytes(48, thread);
    for (int round = 0; round < kRounds; ++round) {
      const Envelope made = make_envelope(form, prelude);
      const ByteView header(made.header);
      SealedEnvelope sealed{header.subview(48 + 20, 256).copy(),
                            prelude,
                            header.subview(0, 348).copy(),
                            header.subview(348, SecretKey::kMacLength).copy(),
                            form.body_label,
                            form.mac_label};
      CHECK(same_key(open_envelope(key, sealed), made.body_key));
      sealed.mac[0] ^= 1;
      CHECK_THROWS_CODE(open_envelope(key, sealed), Code::kTampered);
    }
  });
}

TEST(contention_for_key_files_and_a_passphrase) {
  OpensslFolder folder;
  folder.write_text("pass.txt", "a passphrase");
  folder.run("openssl genrsa -out key.pem 2048");
  const std::string encrypt = "openssl pkcs8 -topk8 -in key.pem -passout file:pass.txt ";
  folder.run(encrypt + "-v2 aes256 -out aes.pem");
  folder.run(encrypt + "-v1 PBE-SHA1-3DES -out pbes1.pem");
  folder.run("openssl pkcs12 -export -inkey key.pem -nocerts -passout file:pass.txt -out key.p12");
  const Passphrase passphrase = Passphrase::from_file(folder.path("pass.txt"));
  const Passphrase wrong = Passphrase::from_bytes(ByteView::of("wrong"));
  const PrivateKey plain = load_private_key(folder.path("key.pem"), nullptr);
  together(kThreads, [&](unsigned thread) {
    for (const char* file : {"aes.pem", "pbes1.pem", "key.p12"}) {
      const PrivateKey key = load_private_key(folder.path(file), &passphrase);
      CHECK(key.public_key()->spki_sha256() == plain.public_key()->spki_sha256());
      CHECK_THROWS_CODE(load_private_key(folder.path(file), &wrong), Code::kWrongPassphrase);
      save_private_key(key, folder.path(std::to_string(thread) + file), &passphrase);
    }
  });
}

}  // namespace
}  // namespace callseal::test
