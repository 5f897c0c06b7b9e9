// CMS messages put together element by element, sound and otherwise.
#pragma once

#include "cms_armour.h"
#include "cms_reader.h"
#include "cms_writer.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {

inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// A definite-length element.
inline Bytes tlv(uint8_t identifier, const Bytes& content) {
  const size_t length = content.size();
  Bytes header = {identifier};
  if (length < 0x80) {
    header.push_back(static_cast<uint8_t>(length));
  } else {
    header = header + Bytes{0x82, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)};
  }
  return header + content;
}

// An element of indefinite length.
inline Bytes open_ended(uint8_t identifier, const Bytes& content) {
  return Bytes{identifier, 0x80} + content + Bytes{0, 0};
}

// CN=a, serial number 5.
inline Bytes sample_issuer_and_serial() {
  const Bytes name = tlv(0x30, tlv(0x31, tlv(0x30, Bytes{0x06, 3, 0x55, 4, 3} + tlv(0x0C, {'a'}))));
  return tlv(0x30, name + Bytes{0x02, 1, 5});
}

inline Bytes sample_recipient(const Bytes& wrapped = Bytes(256, 7)) {
  return encode_recipient_info(sample_issuer_and_serial(), wrapped);
}

inline const CmsNonce kNonce = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
inline const Bytes kTag(kCmsTagLength, 0x77);
inline const Bytes kAuthEnvelopedData = {0x06, 11, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 9, 16, 1, 23};
inline const Bytes kData = {0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1};

// The parts of a message, each of which a test may replace.
struct Parts {
  Bytes type = kAuthEnvelopedData;
  Bytes version = {0x02, 1, 0};
  Bytes originator;
  Bytes recipients = tlv(0x31, sample_recipient());
  Bytes content_type = kData;
  Bytes algorithm = encode_content_encryption(kNonce);
  Bytes content = tlv(0x80, sample_bytes(100));
  Bytes after_content;
  Bytes attributes;
  Bytes tag = tlv(0x04, kTag);
  Bytes after_tag;

  Bytes message(bool definite = true) const {
    auto wrap = definite ? tlv : open_ended;
    const Bytes encrypted = wrap(0x30, content_type + algorithm + content + after_content);
    const Bytes enveloped = version + originator + recipients + encrypted + attributes + tag + after_tag;
    return wrap(0x30, type + wrap(0xA0, wrap(0x30, enveloped)));
  }
};

struct ReadMessage {
  CmsHeader header;
  Bytes content;
  Bytes tag;
};

// Reads a message to its end; `piece` is what the source gives at most, `length` what is asked for at once.
inline ReadMessage read_message(ByteView bytes, size_t piece = SIZE_MAX, size_t length = 4096) {
  std::unique_ptr<ByteSource> source = open_cms_armour(bytes.subview(0, std::min(bytes.size(), kCmsStartBytes)),
                                                       std::make_unique<MemorySource>(bytes, piece));
  CmsReader reader(*source);
  ReadMessage message{reader.header(), {}, {}};
  Bytes buffer(length);
  while (const size_t got = reader.read_content(buffer.data(), buffer.size())) {
    message.content.insert(message.content.end(), buffer.begin(), buffer.begin() + static_cast<ptrdiff_t>(got));
  }
  const CmsTag tag = reader.read_tag();
  message.tag.assign(tag.begin(), tag.end());
  return message;
}

}  // namespace callseal::test
