#include "cms_writer.h"

#include <openssl/objects.h>

#include <algorithm>

#include "cms_reader.h"
#include "error.h"

namespace callseal {
namespace {

constexpr uint8_t kSequence = 0x30;
constexpr uint8_t kSet = 0x31;
constexpr uint8_t kContent = 0x80;   // [0] IMPLICIT OCTET STRING
constexpr uint8_t kExplicit = 0xA0;  // [0] EXPLICIT
constexpr uint8_t kVersion0[] = {0x02, 1, 0};
constexpr uint8_t kTagHeader[] = {0x04, kCmsTagLength};

// Tag and length; ASN1_put_object's lengths are int, which a recording outgrows.
void append_header(Bytes& out, uint8_t identifier, uint64_t length) {
  out.push_back(identifier);
  if (length < 0x80) {
    out.push_back(static_cast<uint8_t>(length));
    return;
  }
  int octets = 1;
  while (octets < 8 && length >> (8 * octets) != 0) ++octets;
  out.push_back(static_cast<uint8_t>(0x80 | octets));
  for (int i = octets - 1; i >= 0; --i) out.push_back(static_cast<uint8_t>(length >> (8 * i)));
}

// The beginning of an element whose end is streamed.
struct Opening {
  Bytes bytes;
  uint64_t following;  // bytes of the element that are not in `bytes`

  // The same with `before` in front, in an element around both.
  Opening inside(uint8_t identifier, std::initializer_list<ByteView> before) const {
    uint64_t length = bytes.size() + following;
    for (ByteView part : before) length += part.size();
    Opening outer{{}, following};
    append_header(outer.bytes, identifier, length);
    for (ByteView part : before) append(outer.bytes, part);
    append(outer.bytes, bytes);
    return outer;
  }
};

// DER: the elements of a SET OF in ascending order (X.690 section 11.6).
Bytes encode_set(std::vector<Bytes> elements) {
  std::sort(elements.begin(), elements.end());
  uint64_t length = 0;
  for (const Bytes& element : elements) length += element.size();
  Bytes set;
  append_header(set, kSet, length);
  for (const Bytes& element : elements) append(set, element);
  return set;
}

}  // namespace

Bytes cms_opening(std::vector<Bytes> recipient_infos, const CmsNonce& nonce, uint64_t content_length) {
  if (content_length > kMaxGcmBytes) {
    throw Error(Code::kInvalidArgument, "a CMS message holds at most " + std::to_string(kMaxGcmBytes) +
                                            " bytes with AES-GCM, not " + std::to_string(content_length));
  }
  Opening content{{}, content_length};
  append_header(content.bytes, kContent, content_length);
  Opening encrypted = content.inside(kSequence, {object_der(NID_pkcs7_data), encode_content_encryption(nonce)});
  encrypted.following += sizeof kTagHeader + kCmsTagLength;
  return encrypted.inside(kSequence, {kVersion0, encode_set(std::move(recipient_infos))})
      .inside(kExplicit, {})
      .inside(kSequence, {object_der(NID_id_smime_ct_authEnvelopedData)})
      .bytes;
}

Bytes cms_closing(const CmsTag& tag) {
  Bytes closing(sizeof kTagHeader + tag.size());
  std::copy(tag.begin(), tag.end(), std::copy(std::begin(kTagHeader), std::end(kTagHeader), closing.begin()));
  return closing;
}

}  // namespace callseal
