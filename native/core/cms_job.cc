#include "cms_job.h"

#include <algorithm>
#include <optional>

#include "block.h"
#include "certificate.h"
#include "cms_armour.h"
#include "cms_cipher.h"
#include "cms_writer.h"
#include "crew.h"
#include "error.h"
#include "floe_body.h"
#include "key_file.h"
#include "secret_file.h"

namespace callseal {
namespace {

// Plaintext handled at once: several segments, so that several threads have something to do.
constexpr size_t kBlockLength = size_t{1} << 20;
constexpr unsigned kMostThreads = 8;

FloeEffort effort() {
  return {std::min(kMostThreads, Crew::cores())};
}

void refuse_in_place(const AtomicFile& output, const InputFile& input) {
  if (output.in_place()) {
    throw Error::about(Code::kInvalidArgument, input.path(), "is the input and the output; write to another file");
  }
}

void finish(const InputFile& input, AtomicFile& output, const JobControl& control) {
  output.sync();
  input.require_unchanged();
  control.check();
  output.publish();
}

// A file from its beginning to its end.
class FileSource : public ByteSource {
 public:
  FileSource(const InputFile& file, JobControl& control) : file_(file), control_(control) {}

  size_t read(uint8_t* out, size_t length) override {
    control_.check();
    const size_t got = file_.read_at(position_, out, length);
    position_ += got;
    control_.advance(got);
    return got;
  }

 private:
  const InputFile& file_;
  JobControl& control_;
  uint64_t position_ = 0;
};

std::unique_ptr<ByteSource> open_source(const InputFile& file, JobControl& control) {
  uint8_t start[kCmsStartBytes];
  const size_t length = file.read_at(0, start, sizeof start);
  return open_cms_armour(ByteView(start, length), std::make_unique<FileSource>(file, control));
}

// An output written from its beginning to its end.
class FileSink : public ByteSink {
 public:
  explicit FileSink(AtomicFile& file) : file_(file) {}
  void write(ByteView bytes) override {
    file_.write(length_, bytes);
    length_ += bytes.size();
  }
  uint64_t length() const { return length_; }

 private:
  AtomicFile& file_;
  uint64_t length_ = 0;
};

FloeMessage read_message(const InputFile& input, uint64_t offset, const SecretKey& key, ByteView aad) {
  uint8_t header[kFloeHeaderLength];
  if (offset > input.size() || input.size() - offset < sizeof header) {
    throw Error(Code::kTruncated, "the file ends inside the header of its body");
  }
  input.read_exactly(offset, header, sizeof header);
  return FloeMessage::open(key, aad, header);
}

// The plaintext of a FLOE body, in order, each part authentic when it is given out.
class FloeReader {
 public:
  FloeReader(const InputFile& input, uint64_t offset, const SecretKey& key, ByteView aad,
             const FileSignature* signature)
      : input_(input),
        signature_(signature),
        message_(read_message(input, offset, key, aad)),
        body_(message_, signature != nullptr),
        position_(offset + kFloeHeaderLength),
        end_(end_of_body()),
        encrypted_(std::max(kBlockLength / message_.segment_length(), size_t{1}) * message_.segment_length()),
        plaintext_(encrypted_.size()) {}

  // What the plaintext of a whole file of that length is long.
  uint64_t plaintext_length() const {
    const uint64_t body = end_ - position_;
    const uint64_t overhead = std::max<uint64_t>(1, message_.segments_in(body)) * kFloeSegmentOverhead;
    return body > overhead ? body - overhead : 0;
  }
  size_t longest() const { return plaintext_.size(); }
  uint64_t position() const { return position_; }

  // Empty at the end, when all of the file has been verified.
  ByteView next() {
    if (body_.finished()) {
      if (position_ < end_) {
        throw Error(Code::kTampered, std::to_string(end_ - position_) + " bytes follow the last segment");
      }
      if (signature_ != nullptr) verify_closing();
      return {};
    }
    const size_t length = static_cast<size_t>(std::min<uint64_t>(encrypted_.size(), end_ - position_));
    input_.read_exactly(position_, encrypted_.data(), length);
    const size_t used = body_.decrypt(encrypted_.first(length), plaintext_.data(), plaintext_.size(), effort());
    if (used == 0) throw Error(Code::kTruncated, "the file ends before its last segment is complete");
    position_ += used;
    const ByteView part =
        plaintext_.first(used - static_cast<size_t>(message_.segments_in(used)) * kFloeSegmentOverhead);
    // A last segment without plaintext.
    return part.empty() ? next() : part;
  }

 private:
  uint64_t end_of_body() const {
    if (signature_ == nullptr) return input_.size();
    if (input_.size() - position_ < signature_->closing_length()) {
      throw Error(Code::kTruncated, "the file ends before its first segment is complete");
    }
    return input_.size() - signature_->closing_length();
  }

  void verify_closing() const {
    Bytes block(signature_->closing_length());
    input_.read_exactly(end_, block.data(), block.size());
    signature_->verify_closing(block, body_.digest().summary());
  }

  const InputFile& input_;
  const FileSignature* signature_;  // null for files without one
  const FloeMessage message_;
  FloeBody body_;
  uint64_t position_;
  const uint64_t end_;  // behind the last segment
  Block encrypted_;
  SecretBlock plaintext_;
};

std::vector<Bytes> wrap_for_all(const std::vector<CmsWrap>& wraps, const SecretKey& key) {
  std::vector<Bytes> infos;
  for (const CmsWrap& wrap : wraps) {
    Bytes wrapped(wrap.public_key->modulus_bytes());
    wrap.public_key->encrypt_oaep(key.bytes_for(KeyUse::kCms), wrapped.data());
    infos.push_back(encode_recipient_info(wrap.issuer_and_serial, wrapped));
  }
  return infos;
}

void write_message(FloeReader& plaintext, const std::vector<CmsWrap>& wraps, ByteSink& out, JobControl& control) {
  const SecretKey key = SecretKey::generate(KeyUse::kCms);
  const std::vector<Bytes> infos = wrap_for_all(wraps, key);
  CmsEncryptor cipher(key);
  Block encrypted(plaintext.longest());
  const uint64_t length = plaintext.plaintext_length();
  control.advance(plaintext.position());
  uint64_t done = 0;
  CmsTag tag{};
  ByteView part;
  do {
    control.check();
    const uint64_t position = plaintext.position();
    part = plaintext.next();
    if (part.empty()) {
      tag = cipher.finish();
    } else {
      cipher.update(part, encrypted.data());
    }
    if (done == 0) out.write(cms_opening(infos, cipher.nonce(), length));  // the nonce comes with the first part
    out.write(encrypted.first(part.size()));
    done += part.size();
    control.advance(plaintext.position() - position);
  } while (!part.empty());
  if (done != length) throw Error(Code::kTampered, "the file has another length than its segments");
  out.write(cms_closing(tag));
}

}  // namespace

FileJobResult export_cms(const InputFile& input, AtomicFile& output, uint64_t offset, const SecretKey& body_key,
                         ByteView aad, const std::vector<CmsWrap>& wraps, CmsForm form, JobControl& control,
                         const FileSignature* signature) {
  refuse_in_place(output, input);
  if (wraps.empty()) throw Error(Code::kInvalidArgument, "a message needs at least one recipient");
  control.begin(input.size());
  FloeReader plaintext(input, offset, body_key, aad, signature);
  FileSink file(output);
  if (form == CmsForm::kPem) {
    PemSink pem(file);
    write_message(plaintext, wraps, pem, control);
    pem.finish();
  } else {
    write_message(plaintext, wraps, file, control);
  }
  finish(input, output, control);
  return {input.size(), file.length()};
}

CmsInput::CmsInput(const std::string& path) : file_(path) {
  JobControl unwatched;
  std::unique_ptr<ByteSource> source = open_source(file_, unwatched);
  header_ = CmsReader(*source).header();
}

namespace {

bool names(const CmsRecipient& recipient, const CertificateInfo& certificate) {
  if (!recipient.key_id.empty()) return recipient.key_id == certificate.subject_key_id;
  return same_issuer_and_serial(recipient.issuer_and_serial, certificate.issuer_and_serial);
}

}  // namespace

std::vector<CmsMatch> CmsInput::match(const std::string& certificates) const {
  SecretBytes bytes = read_secret_file(certificates, kMaxKeyFileBytes, "the certificate file");
  std::vector<CmsMatch> found;
  for (const RecipientEntry& entry : read_recipients(view(bytes))) {
    if (!entry.certificate.has_value()) continue;
    for (size_t i = 0; i < header_.recipients.size(); ++i) {
      if (names(header_.recipients[i], *entry.certificate)) found.push_back({i, entry.public_key->spki_sha256()});
    }
  }
  return found;
}

SecretKey CmsInput::unwrap(const PrivateKey& key, size_t index) const {
  if (index >= header_.recipients.size()) throw Error(Code::kInvalidArgument, "the message has no such recipient");
  const CmsRecipient& recipient = header_.recipients[index];
  if (!recipient.problem.empty()) throw Error(Code::kNotCms, recipient.problem);
  SecretBytes bytes = key.decrypt_oaep(recipient.wrapped_key);
  if (bytes.size() != SecretKey::kLength) {
    throw Error(Code::kTampered, "the wrapped key does not open with the private key it was made for");
  }
  return SecretKey(KeyUse::kCms, view(bytes));
}

namespace {

// Encrypts what comes in pieces of any size into the body of a call file.
class BodyWriter {
 public:
  BodyWriter(const FloeMessage& message, AtomicFile& output, uint64_t start, const SignedFile* signature)
      : message_(message),
        signature_(signature),
        body_(message, signature != nullptr),
        output_(output),
        position_(start),
        whole_(std::max(kBlockLength / message.plaintext_length(), size_t{1}) * message.plaintext_length()),
        plaintext_(whole_ + 1),
        encrypted_(static_cast<size_t>(message.encrypted_length(plaintext_.size()))) {
    output_.write(position_, ByteView(message_.header().data(), message_.header().size()));
    position_ += message_.header().size();
  }

  // Where to put what follows, and how much at most; never 0.
  uint8_t* room() { return plaintext_.data() + filled_; }
  size_t room_length() const { return plaintext_.size() - filled_; }
  // So much was put there. One byte more than whole segments shows that they are not the last.
  void add(size_t length) {
    filled_ += length;
    if (filled_ < plaintext_.size()) return;
    write(plaintext_.first(whole_), false);
    *plaintext_.data() = *(plaintext_.data() + whole_);
    filled_ = 1;
  }
  // Returns where the file ends.
  uint64_t finish() {
    write(plaintext_.first(filled_), true);
    if (signature_ == nullptr) return position_;
    const Bytes closing = signature_->closing_block(body_.digest().summary());
    output_.write(position_, closing);
    return position_ + closing.size();
  }

 private:
  void write(ByteView plaintext, bool last) {
    const size_t length = body_.encrypt(plaintext, last, encrypted_.data(), encrypted_.size(), effort());
    output_.write(position_, encrypted_.first(length));
    position_ += length;
  }

  const FloeMessage& message_;
  const SignedFile* signature_;  // null for files without one
  FloeBody body_;
  AtomicFile& output_;
  uint64_t position_;
  size_t whole_;
  SecretBlock plaintext_;
  Block encrypted_;
  size_t filled_ = 0;
};

}  // namespace

FileJobResult import_cms(const CmsInput& input, AtomicFile& output, const SecretKey& content_encryption_key,
                         const EnvelopeTemplate& form, ByteView prelude, uint32_t segment_length, JobControl& control,
                         const std::shared_ptr<const FileSigner>& signer) {
  refuse_in_place(output, input.file());
  control.begin(input.file().size());
  std::unique_ptr<ByteSource> source = open_source(input.file(), control);
  CmsReader message(*source);
  CmsDecryptor cipher(content_encryption_key, message.header().nonce);

  const SecretKey content = SecretKey::generate(KeyUse::kContent);
  const FloeMessage floe = FloeMessage::create(derive_body_key(form, prelude, content), prelude, segment_length);
  std::optional<SignedFile> signature;
  if (signer != nullptr) signature.emplace(signer, prelude, floe.header_view());
  const Bytes opening = signature.has_value() ? signature->opening_block() : Bytes();
  const uint64_t start = prelude.size() + form.recipients.size() + SecretKey::kMacLength + opening.size();
  BodyWriter body(floe, output, start, signature.has_value() ? &*signature : nullptr);
  while (const size_t length = message.read_content(body.room(), body.room_length())) {
    cipher.update(ByteView(body.room(), length), body.room());
    body.add(length);
  }
  cipher.finish(message.read_tag());
  // Only now: nothing is signed that is not authentic, and what a killed process leaves can be opened by nobody.
  const uint64_t end = body.finish();
  Bytes header = make_header(form, prelude, content);
  append(header, opening);
  output.write(0, header);
  finish(input.file(), output, control);
  return {input.file().size(), end};
}

}  // namespace callseal
