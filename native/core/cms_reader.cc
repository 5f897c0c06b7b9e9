#include "cms_reader.h"

#include <openssl/objects.h>

#include "error.h"

namespace callseal {
namespace {

constexpr uint8_t kInteger = 0x02;
constexpr uint8_t kOctets = 0x04;
constexpr uint8_t kConstructedOctets = 0x24;
constexpr uint8_t kObject = 0x06;
constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kSet = 0x31;
constexpr uint8_t kContext0 = 0x80;
constexpr uint8_t kConstructed0 = 0xA0;
constexpr uint8_t kConstructed1 = 0xA1;
constexpr uint8_t kConstructed2 = 0xA2;

// As OpenSSL has it; nobody writes more than one level.
constexpr size_t kMaxOctetsDepth = 5;
// Empty pieces cost time and bring nothing.
constexpr unsigned kMaxEmptyPieces = 1024;

[[noreturn]] void not_cms(const std::string& what) {
  throw Error(Code::kNotCms, what);
}

// What the sender has to do differently, by the content type of what was sent.
[[noreturn]] void refuse_type(ByteView type) {
  const std::string name = object_name(type);
  if (name == "pkcs7-envelopedData") {
    not_cms(
        "it is CMS EnvelopedData, whose content is encrypted (AES-CBC) but not authenticated; ask the sender for "
        "`openssl cms -encrypt -aes-256-gcm`, which makes AuthEnvelopedData");
  }
  if (name == "pkcs7-signedData") {
    not_cms(
        "it is CMS SignedData, which is signed and not encrypted; take the signature off, or ask the sender for "
        "`openssl cms -encrypt`");
  }
  not_cms("it is CMS of another kind (" + name +
          "), not AuthEnvelopedData; ask the sender for "
          "`openssl cms -encrypt -aes-256-gcm`");
}

}  // namespace

CmsReader::CmsReader(ByteSource& source) : ber_(source) {
  open_content_info();
  enter(kSequence, "the enveloped data");
  const Bytes version = capture(kInteger, "a version");
  static const Bytes kVersion0 = {kInteger, 1, 0};
  if (version != kVersion0) not_cms("it is AuthEnvelopedData of an unknown version");
  read_recipients();
  open_content();
}

BerHeader CmsReader::expect(uint8_t identifier, const char* what) {
  std::optional<BerHeader> header = ber_.next();
  if (!header.has_value() || header->identifier != identifier) ber_.refuse(std::string(what) + " is missing");
  return *header;
}

void CmsReader::enter(uint8_t identifier, const char* what) {
  ber_.enter(expect(identifier, what));
}

Bytes CmsReader::capture(uint8_t identifier, const char* what) {
  Bytes element;
  ber_.capture(expect(identifier, what), element, kMaxCmsHeaderBytes - header_bytes_);
  header_bytes_ += element.size();
  return element;
}

void CmsReader::open_content_info() {
  Bytes type;
  try {
    enter(kSequence, "a SEQUENCE");
    type = capture(kObject, "a content type");
  } catch (const Error& error) {
    if (error.code() != Code::kTampered) throw;
    not_cms("it is no CMS message; give the file that `openssl cms -encrypt -outform DER` or PEM has made");
  }
  if (type != object_der(NID_id_smime_ct_authEnvelopedData)) refuse_type(type);
  enter(kConstructed0, "the content");
}

void CmsReader::read_recipients() {
  std::optional<BerHeader> first = ber_.next();
  if (first.has_value() && first->identifier == kConstructed0) {
    not_cms(
        "it carries certificates of its sender (originatorInfo), which Callseal does not read; ask the sender to "
        "leave them out");
  }
  if (!first.has_value() || first->identifier != kSet) ber_.refuse("the set of recipients is missing");
  ber_.enter(*first);
  bool any_usable = false;
  while (std::optional<BerHeader> element = ber_.next()) {
    if (header_.recipients.size() == kMaxCmsRecipients) {
      ber_.refuse("more than " + std::to_string(kMaxCmsRecipients) + " recipients");
    }
    Bytes der;
    ber_.capture(*element, der, kMaxCmsHeaderBytes - header_bytes_);
    header_bytes_ += der.size();
    header_.recipients.push_back(decode_recipient_info(der));
    any_usable = any_usable || header_.recipients.back().problem.empty();
  }
  ber_.leave();
  if (header_.recipients.empty()) ber_.refuse("a message without recipients");
  if (!any_usable) not_cms(header_.recipients.front().problem);
}

void CmsReader::open_content() {
  enter(kSequence, "the encrypted content");
  const Bytes type = capture(kObject, "the type of the content");
  if (type != object_der(NID_pkcs7_data)) {
    not_cms("its content is " + object_name(type) + ", not plain data; ask the sender to encrypt the file itself");
  }
  header_.nonce = decode_content_encryption(capture(kSequence, "the content encryption"));
  std::optional<BerHeader> content = ber_.next();
  if (!content.has_value()) not_cms("its content is kept in another file (detached); ask the sender for one file");
  if (content->identifier == kContext0) {
    piece_left_ = *content->length;
  } else if (content->identifier == kConstructed0) {
    ber_.enter(*content);
    content_depth_ = 1;
  } else {
    ber_.refuse("the content is missing");
  }
}

size_t CmsReader::read_content(uint8_t* out, size_t length) {
  while (piece_left_ == 0) {
    if (content_depth_ == 0) return 0;
    std::optional<BerHeader> piece = ber_.next();
    if (!piece.has_value()) {
      ber_.leave();
      --content_depth_;
    } else if (piece->identifier == kOctets) {
      piece_left_ = *piece->length;
      empty_pieces_ = piece_left_ == 0 ? empty_pieces_ + 1 : 0;
      if (empty_pieces_ > kMaxEmptyPieces) ber_.refuse("too many empty pieces of content");
    } else if (piece->identifier == kConstructedOctets && content_depth_ < kMaxOctetsDepth) {
      ber_.enter(*piece);
      ++content_depth_;
    } else {
      ber_.refuse("something that is no content");
    }
  }
  if (piece_left_ > kMaxGcmBytes - content_read_) ber_.refuse("more content than AES-GCM allows");
  const size_t part = static_cast<size_t>(std::min<uint64_t>(length, piece_left_));
  ber_.read(out, part);
  piece_left_ -= part;
  content_read_ += part;
  return part;
}

CmsTag CmsReader::read_tag() {
  ber_.leave();  // the encrypted content
  std::optional<BerHeader> element = ber_.next();
  if (element.has_value() && element->identifier == kConstructed1) {
    not_cms(
        "it has authenticated attributes, which Callseal does not read; ask the sender to leave them out, as "
        "`openssl cms -encrypt` does");
  }
  CmsTag tag{};
  if (!element.has_value() || element->identifier != kOctets || element->length != tag.size()) {
    ber_.refuse("the tag is missing");
  }
  ber_.read(tag.data(), tag.size());
  element = ber_.next();
  if (element.has_value() && element->identifier == kConstructed2) {
    not_cms(
        "it has unauthenticated attributes, which Callseal does not read; ask the sender to leave them out, as "
        "`openssl cms -encrypt` does");
  }
  if (element.has_value()) ber_.refuse("something behind the tag");
  ber_.leave();  // AuthEnvelopedData
  ber_.leave();  // [0]
  ber_.leave();  // ContentInfo
  if (ber_.next().has_value()) ber_.refuse("something behind the message");
  return tag;
}

}  // namespace callseal
