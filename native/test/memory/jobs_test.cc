// Every allocation of the core's work on files fails once: the error tells of memory, no output is left, the input is
// as it was.
#include <unistd.h>

#include "allocation_faults.h"
#include "cms_job.h"
#include "cms_samples.h"
#include "file_job_paths.h"
#include "rewrap.h"
#include "seal_paths.h"

namespace callseal::test {
namespace {

const Bytes kSmall = sample_bytes(10000);
const Bytes kShared = sample_bytes(size_t{9} << 20);  // enough for several threads

const PrivateKey& own_key() {
  static const PrivateKey key = PrivateKey::generate(2048);
  return key;
}

EnvelopeTemplate form() {
  EnvelopeTemplate made;
  made.recipients = Bytes(256);
  made.wraps = {{own_key().public_key(), 0}};
  made.body_label = {'b'};
  made.mac_label = {'m'};
  return made;
}

SealedEnvelope sealed(const Bytes& header) {
  const ByteView all(header);
  return {all.subview(48, 256).copy(),
          all.subview(0, 48).copy(),
          all.subview(0, all.size() - 32).copy(),
          all.subview(all.size() - 32, 32).copy(),
          {'b'},
          {'m'}};
}

// Work from `in` to `out`. `expected` is what `out` holds then; empty where that differs each time.
template <typename Work>
int from_in_to_out(const ScratchFolder& folder, Work&& work, const Bytes& expected) {
  const Bytes input = folder.read("in");
  return fail_every_allocation([&] { unlink(folder.path("out").c_str()); }, work,
                               [&](bool done) {
                                 CHECK_EQ(folder.listing(), std::string(done ? "in out" : "in"));
                                 CHECK(folder.read("in") == input);
                                 if (done && !expected.empty()) CHECK(folder.read("out") == expected);
                               });
}

TEST(memory_encrypt_file) {
  for (const Bytes* plain : {&kSmall, &kShared}) {
    ScratchFolder folder;
    folder.write("in", *plain);
    CHECK(from_in_to_out(folder, [&] { encrypt(folder.path("in"), folder.path("out"), 262144); }, {}) > 5);
  }
}

TEST(memory_decrypt_file) {
  for (const Bytes* plain : {&kSmall, &kShared}) {
    ScratchFolder folder;
    folder.write("plain", *plain);
    encrypt(folder.path("plain"), folder.path("in"), 262144);
    unlink(folder.path("plain").c_str());
    CHECK(from_in_to_out(
              folder, [&] { decrypt(folder.path("in"), folder.path("out")); }, *plain) > 5);
  }
}

// A job that recovers what it can takes no memory that ran out for the end of what is authentic.
TEST(memory_recover_file) {
  ScratchFolder folder;
  folder.write("plain", kSmall);
  encrypt(folder.path("plain"), folder.path("in"), 4096);
  unlink(folder.path("plain").c_str());
  const auto recover_all = [&] {
    JobControl control;
    const OutputOptions output{folder.path("out"), false, false};
    CHECK(!decrypt_paths(folder.path("in"), kHeader.size(), output, control, true).loss.has_value());
  };
  CHECK(from_in_to_out(folder, recover_all, kSmall) > 5);
}

TEST(memory_seal) {
  ScratchFolder folder;
  const int failed = fail_every_allocation(
      [&] {
        folder.write("in", kSmall);
        unlink(folder.path("out").c_str());
      },
      [&] { seal(folder); },
      [&](bool done) {
        if (done) return check_sealed(folder, "out", kSmall);
        // The plaintext stays under its name until the output is published, and nothing is lost between.
        const std::string left = folder.listing();
        if (left != "in") {
          CHECK_EQ(left, std::string("in out"));
          check_sealed(folder, "out", kSmall);
        }
        CHECK(folder.read("in") == kSmall);
      });
  CHECK(failed > 10);
}

TEST(memory_envelope) {
  CHECK(fail_every_allocation([] { make_envelope(form(), kAad); }) > 10);
  const Bytes header = make_envelope(form(), kAad).header;
  const SealedEnvelope envelope = sealed(header);
  CHECK(fail_every_allocation([&] { open_envelope(own_key(), envelope); }) > 10);
}

TEST(memory_rewrap) {
  const Bytes header = make_envelope(form(), kAad).header;
  const SealedEnvelope envelope = sealed(header);
  const EnvelopeTemplate next = form();
  CHECK(fail_every_allocation([&] { rewrap_header(own_key(), envelope, next); }) > 10);
  ScratchFolder folder;
  const Bytes content = sample_bytes(5000), fresh = sample_bytes(700, 3);
  const int failed = fail_every_allocation([&] { folder.write("call", content); },
                                           [&] {
                                             InputFile input(folder.path("call"));
                                             JobControl control;
                                             replace_header(input, fresh, 500, control);
                                           },
                                           [&](bool done) {
                                             CHECK_EQ(folder.listing(), std::string("call"));
                                             if (!done) CHECK(folder.read("call") == content);
                                           });
  CHECK(failed > 5);
}

TEST(memory_cms) {
  ScratchFolder folder;
  folder.write("plain", kSmall);
  encrypt(folder.path("plain"), folder.path("in"));
  unlink(folder.path("plain").c_str());
  const std::vector<CmsWrap> wraps = {{own_key().public_key(), sample_issuer_and_serial()}};
  const auto export_message = [&] {
    InputFile input(folder.path("in"));
    AtomicFile output({folder.path("out"), false, false}, &input);
    JobControl control;
    export_cms(input, output, kHeader.size(), sample_key(), kAad, wraps, CmsForm::kPem, control);
  };
  CHECK(from_in_to_out(folder, export_message, {}) > 10);
  unlink(folder.path("out").c_str());
  export_message();
  CHECK_EQ(rename(folder.path("out").c_str(), folder.path("in").c_str()), 0);
  const EnvelopeTemplate fresh = form();
  const auto import_message = [&] {
    CmsInput input(folder.path("in"));
    AtomicFile output({folder.path("out"), false, false}, &input.file());
    JobControl control;
    import_cms(input, output, input.unwrap(own_key(), 0), fresh, kAad, 4096, control);
  };
  CHECK(from_in_to_out(folder, import_message, {}) > 10);
}

}  // namespace
}  // namespace callseal::test
