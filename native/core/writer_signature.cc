#include "writer_signature.h"

#include <initializer_list>

#include "error.h"

namespace callseal {
namespace {

constexpr uint8_t kSeparator[] = {0};

Bytes concatenate(std::initializer_list<ByteView> parts) {
  Bytes whole;
  for (ByteView part : parts) whole.insert(whole.end(), part.begin(), part.end());
  return whole;
}

Bytes opening_statement(const SignatureTexts& texts, ByteView prelude, ByteView fields, ByteView floe_header) {
  return concatenate({texts.opening_label, kSeparator, prelude, fields, floe_header});
}

// All of the file before its first segment, but for the recipients, which may change.
Sha256 start_digest(ByteView prelude, ByteView opening_block, ByteView floe_header) {
  return sha256(concatenate({prelude, opening_block, floe_header}));
}

Bytes closing_statement(const SignatureTexts& texts, const Sha256& start, const BodySummary& body) {
  uint8_t count[8];
  put_u64be(count, body.segments);
  return concatenate({texts.closing_label, kSeparator, ByteView(start.data(), start.size()), count,
                      ByteView(body.digest.data(), body.digest.size())});
}

}  // namespace

void FileSigner::validate() const {
  if (key->public_key()->writer_scheme() == scheme) return;
  throw Error(Code::kInvalidArgument, "files are not signed in this scheme with this key");
}

SignedFile::SignedFile(std::shared_ptr<const FileSigner> signer, ByteView prelude, ByteView floe_header)
    : signer_(std::move(signer)),
      opening_(concatenate(
          {signer_->fields, signer_->key->sign(signer_->scheme, opening_statement(signer_->texts, prelude,
                                                                                  signer_->fields, floe_header))})),
      start_(start_digest(prelude, opening_, floe_header)) {}

Bytes SignedFile::closing_block(const BodySummary& body) const {
  const FileSigner& signer = *signer_;
  return concatenate(
      {signer.texts.closing_mark, signer.key->sign(signer.scheme, closing_statement(signer.texts, start_, body))});
}

void FileSignature::verify_opening() const {
  if (signature.size() == key->signature_length(scheme) &&
      key->verify(scheme, opening_statement(texts, prelude, fields, floe_header), signature)) {
    return;
  }
  throw Error(Code::kTampered, "the writer's signature before the body is wrong");
}

void FileSignature::verify_closing(ByteView block, const BodySummary& body) const {
  const size_t mark = texts.closing_mark.size();
  if (block.size() != closing_length() ||
      !std::equal(texts.closing_mark.begin(), texts.closing_mark.end(), block.begin())) {
    throw Error(Code::kTampered, "the writer's signature after the last segment is damaged");
  }
  const Sha256 start = start_digest(prelude, concatenate({fields, signature}), floe_header);
  if (key->verify(scheme, closing_statement(texts, start, body), block.subview(mark, block.size() - mark))) {
    return;
  }
  throw Error(Code::kTampered, "the writer's signature after the last segment is wrong");
}

}  // namespace callseal
