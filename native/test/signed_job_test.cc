// Jobs on signed files: what they write, and how far they believe what they read. The whole format is tested from
// TypeScript; here memory is watched, and the work shared by threads.

#include <memory>
#include <optional>

#include "error.h"
#include "file_job_paths.h"
#include "rewrap.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {
namespace {

constexpr size_t kSegment = 65536;
constexpr size_t kStep = kSegment - kFloeSegmentOverhead;

std::shared_ptr<const FileSigner> signer() {
  static const auto made = std::make_shared<const FileSigner>(
      FileSigner{std::make_shared<const PrivateKey>(PrivateKey::generate(EcCurve::kP256)),
                 SignatureScheme::kEcdsaP256Sha256,
                 sample_bytes(40, 9),
                 {{'o'}, {'c'}, {'S', 'I', 'G', 'N'}}});
  return made;
}

// A signed file as jobs see it: its header is the opening block.
struct Signed {
  explicit Signed(size_t length) : plaintext(sample_bytes(length)) {
    const FloeMessage message = FloeMessage::create(sample_key(), kAad, kSegment);
    const SignedFile file(signer(), kAad, message.header_view());
    begin = file.opening_block().size();
    JobControl control;
    InputFile input(folder.write("in", plaintext));
    AtomicFile output({folder.path("sealed"), true, false}, &input);
    encrypt_file(input, output, file.opening_block(), message, control, &file);
    bytes = folder.read("sealed");
    const ByteView opening(file.opening_block());
    const size_t fields = signer()->fields.size();
    signature = {signer()->key->public_key(),
                 signer()->scheme,
                 signer()->fields,
                 opening.subview(fields, opening.size() - fields).copy(),
                 signer()->texts,
                 ByteView(kAad).copy(),
                 message.header_view().copy()};
    end = bytes.size() - signature.closing_length();
  }

  FileJobResult decrypt(const Bytes& file, bool recover) const {
    JobControl control;
    InputFile input(folder.write("altered", file));
    AtomicFile output({folder.path("out"), true, false}, &input);
    return decrypt_file(input, &output, begin, sample_key(), kAad, control, recover, &signature);
  }
  Bytes cut(size_t length) const { return Bytes(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length)); }
  Bytes flipped(size_t offset) const {
    Bytes damaged = bytes;
    damaged[offset] ^= 1;
    return damaged;
  }

  ScratchFolder folder;
  Bytes plaintext;
  Bytes bytes;
  size_t begin = 0;
  size_t end = 0;  // behind the last segment
  FileSignature signature{};
};

// One block, several, and as many as several threads share; last segments that are full, empty and short.
const size_t kLengths[] = {0, kStep, 3 * kStep + 7, 170 * kStep + 100};

TEST(a_signed_file_is_verified_to_its_end) {
  for (size_t length : kLengths) {
    const Signed file(length);
    file.signature.verify_opening();
    for (bool recover : {false, true}) {
      CHECK(!file.decrypt(file.bytes, recover).loss.has_value());
      CHECK(file.folder.read("out") == file.plaintext);
      CHECK_THROWS_CODE(file.decrypt(file.flipped(file.bytes.size() - 1), recover), Code::kTampered);
      CHECK_THROWS_CODE(file.decrypt(file.flipped(file.end), recover), Code::kTampered);
    }
  }
}

TEST(a_signed_file_without_the_end_of_its_signature_gives_its_content) {
  for (size_t length : kLengths) {
    const Signed file(length);
    for (size_t size : {file.end, file.end + 1, file.bytes.size() - 1}) {
      CHECK_THROWS_CODE(file.decrypt(file.cut(size), false), Code::kTruncated);
      const std::optional<Loss> loss = file.decrypt(file.cut(size), true).loss;
      CHECK(loss.has_value() && loss->reason == Loss::Reason::kClosing);
      CHECK_EQ(loss->offset, uint64_t{file.end});
      CHECK_EQ(loss->bytes, uint64_t{size - file.end});
      CHECK(file.folder.read("out") == file.plaintext);
    }
    CHECK(file.decrypt(file.cut(file.end - 1), true).loss->reason == Loss::Reason::kTruncated);
  }
}

TEST(bytes_behind_a_signed_file_do_not_hide_a_wrong_signature) {
  for (size_t length : kLengths) {
    const Signed file(length);
    Bytes longer = file.bytes;
    longer.insert(longer.end(), 3 * kSegment, 0);
    const std::optional<Loss> loss = file.decrypt(longer, true).loss;
    CHECK(loss.has_value() && loss->reason == Loss::Reason::kTrailing);
    CHECK_EQ(loss->offset, uint64_t{file.bytes.size()});
    CHECK(file.folder.read("out") == file.plaintext);
    longer[file.bytes.size() - 1] ^= 1;
    CHECK_THROWS_CODE(file.decrypt(longer, true), Code::kTampered);
  }
}

TEST(rekey_file_verifies_the_old_signature_and_makes_the_new) {
  for (size_t length : kLengths) {
    const Signed file(length);
    const FloeMessage message = FloeMessage::create(sample_key(), kAad, 4096);
    SignedFile anew(signer(), kAad, message.header_view());
    const StartedFile started{anew.opening_block(), message, anew};
    auto rekey = [&](const Bytes& bytes) {
      JobControl control;
      InputFile input(file.folder.write("old", bytes));
      AtomicFile output({file.folder.path("new"), true, false}, &input);
      return rekey_file(input, {file.begin, file.end, &file.signature}, sample_key(), kAad, output, started, control);
    };
    const FileJobResult result = rekey(file.bytes);
    CHECK_EQ(result.output_bytes, uint64_t{file.folder.read("new").size()});
    CHECK_EQ(file.folder.read("new").size(),
             started.header.size() + static_cast<size_t>(message.encrypted_length(length)) + anew.closing_length());
    CHECK_THROWS_CODE(rekey(file.flipped(file.bytes.size() - 1)), Code::kTampered);
    CHECK_THROWS_CODE(rekey(file.cut(file.bytes.size() - 1)), Code::kTruncated);
  }
}

}  // namespace
}  // namespace callseal::test
