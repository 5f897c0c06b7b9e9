// CMS AuthEnvelopedData (RFC 5083) in DER, around content that is streamed: its length is known, so nothing has to be
// held back.
#pragma once

#include <vector>

#include "cms_asn1.h"

namespace callseal {

// What stands before `content_length` bytes of encrypted content. `recipient_infos` as encode_recipient_info makes
// them, in any order. kInvalidArgument when the content is longer than AES-GCM allows.
Bytes cms_opening(std::vector<Bytes> recipient_infos, const CmsNonce& nonce, uint64_t content_length);

// What stands behind it.
Bytes cms_closing(const CmsTag& tag);

}  // namespace callseal
