#include "cms_job.h"

#include "cms_cipher.h"
#include "cms_samples.h"
#include "file_job_paths.h"

namespace callseal::test {
namespace {

const PrivateKey& partner() {
  static const PrivateKey key = PrivateKey::generate(2048);
  return key;
}

const std::vector<CmsWrap>& wraps() {
  static const std::vector<CmsWrap> list = {{partner().public_key(), sample_issuer_and_serial()}};
  return list;
}

EnvelopeTemplate form() {
  EnvelopeTemplate made;
  made.recipients = Bytes(256);
  made.wraps = {{partner().public_key(), 0}};
  made.body_label = {'b'};
  made.mac_label = {'m'};
  return made;
}

FileJobResult export_paths(const std::string& from, const std::string& to, CmsForm cms_form = CmsForm::kDer) {
  InputFile input(from);
  AtomicFile output({to, true, false}, &input);
  JobControl control;
  FileJobResult result = export_cms(input, output, kHeader.size(), sample_key(), kAad, wraps(), cms_form, control);
  CHECK_EQ(control.progress(), result.input_bytes);
  return result;
}

FileJobResult import_paths(const std::string& from, const std::string& to, uint32_t segment_length = 1024) {
  CmsInput input(from);
  AtomicFile output({to, true, false}, &input.file());
  JobControl control;
  FileJobResult result = import_cms(input, output, input.unwrap(partner(), 0), form(), kAad, segment_length, control);
  CHECK_EQ(control.progress(), result.input_bytes);
  return result;
}

// The content of a call file that import_paths has written.
Bytes content_of(const ScratchFolder& folder, const std::string& name) {
  const Bytes file = folder.read(name);
  const ByteView bytes(file);
  const size_t body = kAad.size() + 256 + 32;
  SealedEnvelope sealed{bytes.subview(kAad.size(), 256).copy(), kAad,  bytes.subview(0, kAad.size() + 256).copy(),
                        bytes.subview(body - 32, 32).copy(),    {'b'}, {'m'}};
  const SecretKey key = open_envelope(partner(), sealed);
  InputFile input(folder.path(name));
  AtomicFile output({folder.path("content"), true, false}, &input);
  JobControl control;
  decrypt_file(input, &output, body, key, kAad, control);
  return folder.read("content");
}

TEST(cms_job_takes_call_files_there_and_back) {
  ScratchFolder folder;
  // Around segments of 1024 bytes and the blocks of 1 MiB they are handled in.
  const size_t block = (size_t{1} << 20) / 992 * 992;
  for (size_t size : {size_t{0}, size_t{1}, size_t{991}, size_t{992}, size_t{993}, block - 1, block, block + 1,
                      2 * block, 2 * block + 5}) {
    const Bytes plain = sample_bytes(size);
    encrypt(folder.write("plain", plain), folder.path("call"), 1024, true);
    for (CmsForm cms_form : {CmsForm::kDer, CmsForm::kPem}) {
      const FileJobResult exported = export_paths(folder.path("call"), folder.path("cms"), cms_form);
      CHECK_EQ(exported.output_bytes, folder.read("cms").size());
      const FileJobResult imported = import_paths(folder.path("cms"), folder.path("back"));
      CHECK_EQ(imported.output_bytes, folder.read("back").size());
      CHECK(content_of(folder, "back") == plain);
    }
  }
}

TEST(cms_job_publishes_nothing_that_is_not_authentic) {
  ScratchFolder folder;
  encrypt(folder.write("plain", sample_bytes(5000)), folder.path("call"), 1024);
  export_paths(folder.path("call"), folder.path("cms"));
  const Bytes message = folder.read("cms");
  Bytes altered = message;
  altered[message.size() - 3000] ^= 1;
  folder.write("cms", altered);
  CHECK_THROWS_CODE(import_paths(folder.path("cms"), folder.path("back")), Code::kTampered);
  folder.write("cms", Bytes(message.begin(), message.end() - 20));
  CHECK_THROWS_CODE(import_paths(folder.path("cms"), folder.path("back")), Code::kTruncated);
  Bytes call = folder.read("call");
  call[call.size() - 100] ^= 1;
  folder.write("call", call);
  CHECK_THROWS_CODE(export_paths(folder.path("call"), folder.path("out")), Code::kTampered);
  CHECK_EQ(folder.listing(), "call cms plain");
}

TEST(cms_job_does_not_write_over_its_input) {
  ScratchFolder folder;
  encrypt(folder.write("plain", sample_bytes(10)), folder.path("call"), 1024);
  CHECK_THROWS_CODE(export_paths(folder.path("call"), folder.path("call")), Code::kInvalidArgument);
  export_paths(folder.path("call"), folder.path("cms"));
  CHECK_THROWS_CODE(import_paths(folder.path("cms"), folder.path("cms")), Code::kInvalidArgument);
}

TEST(cms_job_stops_when_told_to) {
  ScratchFolder folder;
  encrypt(folder.write("plain", sample_bytes(10)), folder.path("call"), 1024);
  export_paths(folder.path("call"), folder.path("cms"));
  CmsInput input(folder.path("cms"));
  AtomicFile output({folder.path("back"), false, false}, &input.file());
  JobControl control;
  control.cancel();
  CHECK_THROWS_CODE(import_cms(input, output, input.unwrap(partner(), 0), form(), kAad, 1024, control), Code::kAborted);
}

TEST(cms_input_opens_for_its_recipient_only) {
  ScratchFolder folder;
  encrypt(folder.write("plain", sample_bytes(10)), folder.path("call"), 1024);
  export_paths(folder.path("call"), folder.path("cms"));
  CmsInput input(folder.path("cms"));
  CHECK_THROWS_CODE(input.unwrap(PrivateKey::generate(2048), 0), Code::kTampered);
  CHECK_THROWS_CODE(input.unwrap(PrivateKey::generate(3072), 0), Code::kTampered);
  CHECK_THROWS_CODE(input.unwrap(partner(), 1), Code::kInvalidArgument);
  // A wrapped key of another length.
  Bytes wrapped(256);
  partner().public_key()->encrypt_oaep(Bytes(16), wrapped.data());
  Parts parts;
  parts.recipients = tlv(0x31, sample_recipient(wrapped));
  folder.write("short", parts.message());
  CHECK_THROWS_CODE(CmsInput(folder.path("short")).unwrap(partner(), 0), Code::kTampered);
}

// The Galois/Counter Mode of Operation (McGrew, Viega), test case 14.
TEST(cms_cipher_is_aes_256_gcm) {
  const Bytes ciphertext = {0xCE, 0xA7, 0x40, 0x3D, 0x4D, 0x60, 0x6B, 0x6E,
                            0x07, 0x4E, 0xC5, 0xD3, 0xBA, 0xF3, 0x9D, 0x18};
  const CmsTag tag = {0xD0, 0xD1, 0xC8, 0xA7, 0x99, 0x99, 0x6B, 0xF0, 0x26, 0x5B, 0x98, 0xB5, 0xD4, 0x8A, 0xB9, 0x19};
  const SecretKey key(KeyUse::kCms, Bytes(32));
  for (size_t piece : {1, 5, 16}) {
    for (bool right : {true, false}) {
      CmsDecryptor cipher(key, CmsNonce{});
      Bytes out = ciphertext;
      for (size_t at = 0; at < out.size(); at += piece) {
        const size_t length = std::min(piece, out.size() - at);
        cipher.update(ByteView(out).subview(at, length), out.data() + at);
      }
      CHECK(out == Bytes(16));
      CmsTag given = tag;
      if (right) {
        cipher.finish(given);
      } else {
        given[15] ^= 1;
        CHECK_THROWS_CODE(cipher.finish(given), Code::kTampered);
      }
    }
  }
}

TEST(cms_cipher_makes_a_nonce_of_its_own_for_each_message) {
  const SecretKey key = SecretKey::generate(KeyUse::kCms);
  for (const Bytes& plain : {Bytes(), sample_bytes(100)}) {
    Bytes sealed(plain.size()), opened(plain.size());
    CmsEncryptor first(key), second(key);
    first.update(plain, sealed.data());
    second.update(plain, opened.data());
    const CmsTag tag = first.finish();
    second.finish();
    CHECK(first.nonce() != second.nonce());
    CmsDecryptor cipher(key, first.nonce());
    cipher.update(sealed, opened.data());
    cipher.finish(tag);
    CHECK(opened == plain);
  }
}

}  // namespace
}  // namespace callseal::test
