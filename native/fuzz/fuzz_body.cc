// Bodies written by somebody who has the key, and breaks the rules: what lies behind tags and signatures. Buffers,
// streams, files and recovery must read them alike.
//
// Input: see support/body_program.h. Seeds: corpus/fuzz_body.
#include <openssl/err.h>
#include <stdlib.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "../test/module_from_environment.h"
#include "../test/scratch.h"
#include "error.h"
#include "file_job.h"
#include "floe_body.h"
#include "support/body_program.h"

namespace {

using namespace callseal;
using fuzz::BodyEnd;
using fuzz::BodyProgram;
using fuzz::BodyReading;

// The shortest that files may have.
constexpr uint32_t kSegment = 1024;
constexpr uint8_t kPrelude[48] = {1, 2, 3};

void require(bool condition) {
  if (!condition) abort();
}

const SecretKey& key() {
  static const SecretKey instance(KeyUse::kFloe, Bytes(32, 0x42));
  return instance;
}

const FloeMessage& message() {
  static const FloeMessage instance = FloeMessage::create(key(), kPrelude, kSegment);
  return instance;
}

// The writer of all signed bodies here.
struct Writer {
  std::shared_ptr<const FileSigner> signer = std::make_shared<const FileSigner>(
      FileSigner{std::make_shared<const PrivateKey>(PrivateKey::generate(EcCurve::kP256)),
                 SignatureScheme::kEcdsaP256Sha256,
                 Bytes(40, 9),
                 {{'o'}, {'c'}, {'S', 'I', 'G', 'N'}}});
  SignedFile file{signer, kPrelude, message().header_view()};
  FileSignature signature{signer->key->public_key(),
                          signer->scheme,
                          signer->fields,
                          Bytes(file.opening_block().begin() + 40, file.opening_block().end()),
                          signer->texts,
                          ByteView(kPrelude).copy(),
                          message().header_view().copy()};
};

const Writer& writer() {
  static const Writer instance;
  return instance;
}

const test::ScratchFolder& scratch() {
  static const test::ScratchFolder instance;
  return instance;
}

// What a body is refused with by a reader that does not recover.
std::optional<Code> refusal(const BodyReading& reading) {
  switch (reading.end) {
    case BodyEnd::kComplete:
      return std::nullopt;
    case BodyEnd::kTruncated:
    case BodyEnd::kClosingCut:
      return Code::kTruncated;
    default:
      return Code::kTampered;
  }
}

template <typename Action>
std::optional<Code> refused_by(Action&& action) {
  std::optional<Code> code;
  try {
    action();
  } catch (const Error& error) {
    code = error.code();
  }
  require(ERR_peek_error() == 0);
  return code;
}

void check_buffer(const Bytes& body, const BodyReading& expected) {
  for (unsigned threads : {1, 2}) {
    Bytes out(body.size(), 0);
    const std::optional<Code> code =
        refused_by([&] { out.resize(decrypt_floe_body(message(), body, out.data(), threads)); });
    require(code == refusal(expected));
    if (code.has_value()) {
      require(std::all_of(out.begin(), out.end(), [](uint8_t byte) { return byte == 0; }));
    } else {
      require(out == expected.plaintext);
    }
  }
}

// What a stream holds back, and what has come out of it.
struct Stream {
  Bytes held;
  Bytes plaintext;

  void take(FloeBody& body, ByteView piece) {
    append(held, piece);
    Bytes out(held.size());
    while (!body.finished()) {
      const size_t used = body.decrypt(held, out.data(), out.size(), {});
      if (used == 0) return;
      held.erase(held.begin(), held.begin() + static_cast<ptrdiff_t>(used));
      const size_t segments = (used + kSegment - 1) / kSegment;
      append(plaintext, ByteView(out.data(), used - segments * kFloeSegmentOverhead));
    }
  }
};

// Given in pieces: all that is authentic comes out, and nothing else.
void check_stream(const BodyProgram& program, const BodyReading& expected) {
  FloeBody body(message(), program.signed_by_writer);
  Stream stream;
  const std::optional<Code> code = refused_by([&] {
    for (size_t at = 0; at < program.bytes.size(); at += program.piece) {
      stream.take(body, {program.bytes.data() + at, std::min(program.piece, program.bytes.size() - at)});
    }
  });
  const bool damaged = expected.end == BodyEnd::kDamaged;
  require(stream.plaintext == expected.plaintext && code == (damaged ? refusal(expected) : std::nullopt));
  const bool ended = !damaged && expected.end != BodyEnd::kTruncated;
  require(body.finished() == ended);
  if (!ended || !program.signed_by_writer) return;
  require(body.digest().summary().segments == expected.segments);
  require(body.digest().summary().digest == expected.summary.digest);
}

Loss::Reason reason_for(BodyEnd end) {
  switch (end) {
    case BodyEnd::kTruncated:
      return Loss::Reason::kTruncated;
    case BodyEnd::kTrailing:
      return Loss::Reason::kTrailing;
    case BodyEnd::kClosingCut:
      return Loss::Reason::kClosing;
    default:
      return Loss::Reason::kDamaged;
  }
}

void check_loss(const std::optional<Loss>& loss, const BodyReading& expected, size_t size, size_t closing) {
  require(loss.has_value() == (expected.end != BodyEnd::kComplete));
  if (!loss.has_value()) return;
  const size_t offset = expected.offset + (expected.end == BodyEnd::kTrailing ? closing : 0);
  require(loss->reason == reason_for(expected.end) && loss->segment == expected.segments);
  require(loss->offset == kFloeHeaderLength + offset && loss->bytes == size - loss->offset);
}

void check_file(const Bytes& body, const BodyReading& expected, const FileSignature* signature) {
  const InputFile input(scratch().write("body", body));
  for (bool recover : {false, true}) {
    std::optional<Loss> loss;
    const std::optional<Code> code = refused_by([&] {
      AtomicFile output({scratch().path("out"), true, false}, &input);
      JobControl control;
      loss = decrypt_file(input, &output, 0, key(), kPrelude, control, recover, signature).loss;
    });
    if (!recover || expected.end == BodyEnd::kClosingWrong) {
      // Who knows where a signed file's last segment must end may see first that it is not there.
      const bool cut = signature != nullptr && refusal(expected).has_value() && code == Code::kTruncated;
      require(cut || code == refusal(expected));
    } else {
      require(!code.has_value());
      check_loss(loss, expected, body.size(), signature != nullptr ? signature->closing_length() : 0);
    }
    if (!code.has_value()) require(scratch().read("out") == expected.plaintext);
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  test::initialise_module_from_environment();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const BodyProgram program(ByteView(data, size), message(), writer().file);
  const FileSignature* signature = program.signed_by_writer ? &writer().signature : nullptr;
  const BodyReading expected = program.read(message(), signature);
  Bytes body = message().header_view().copy();
  append(body, program.bytes);
  check_file(body, expected, signature);
  check_stream(program, expected);
  if (signature == nullptr) check_buffer(body, expected);
  return 0;
}
