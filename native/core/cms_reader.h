// CMS AuthEnvelopedData (RFC 5083) read in order, in flat memory: header, encrypted content in pieces, tag.
//
//   cms_armour   takes PEM off, and says what is no CMS message     byte_source
//   ber_reader   elements                                           cms_asn1: their small parts, by OpenSSL
//
// Nothing here decrypts. Knows nothing of files or Node.
#pragma once

#include <vector>

#include "ber_reader.h"
#include "cms_asn1.h"

namespace callseal {

constexpr size_t kMaxCmsHeaderBytes = size_t{4} << 20;
constexpr size_t kMaxCmsRecipients = 4096;
// NIST SP 800-38D section 5.2.1.1.
constexpr uint64_t kMaxGcmBytes = (uint64_t{1} << 36) - 32;

struct CmsHeader {
  std::vector<CmsRecipient> recipients;
  CmsNonce nonce{};
};

class CmsReader {
 public:
  // Reads up to the encrypted content. kNotCms for what is not of the kind that Callseal reads, with what to ask the
  // sender for; kTampered for what breaks the rules of CMS; kTruncated. The source outlives the reader.
  explicit CmsReader(ByteSource& source);

  const CmsHeader& header() const { return header_; }
  // The encrypted content that follows, at most `length` bytes, which is not 0; 0 at its end.
  size_t read_content(uint8_t* out, size_t length);
  // Once the content has been read: what follows it, to the end of the source.
  CmsTag read_tag();

 private:
  BerHeader expect(uint8_t identifier, const char* what);
  void enter(uint8_t identifier, const char* what);
  Bytes capture(uint8_t identifier, const char* what);
  void open_content_info();
  void read_recipients();
  void open_content();

  BerReader ber_;
  CmsHeader header_;
  size_t header_bytes_ = 0;
  uint64_t piece_left_ = 0;  // of the octets being read
  uint64_t content_read_ = 0;
  size_t content_depth_ = 0;   // constructed octet strings entered
  unsigned empty_pieces_ = 0;  // one behind the other
};

}  // namespace callseal
