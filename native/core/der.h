// Reading and writing DER by element, for what must not pass through OpenSSL's decoders.
#pragma once

#include <openssl/asn1.h>

#include <initializer_list>
#include <optional>

#include "bytes.h"

namespace callseal {

struct DerElement {
  int tag = -1;  // V_ASN1_…; -1 outside the universal class
  ByteView content;
  size_t length = 0;  // of the whole element; 0 for BER of indefinite length, whose content is then all that follows
};

// The elements of a SEQUENCE's content, one after the other.
class DerReader {
 public:
  explicit DerReader(ByteView der) : rest_(der) {}

  // None at the end, where no element is well formed, and behind one of indefinite length.
  std::optional<DerElement> next();
  // The next element's content when it has this tag.
  std::optional<ByteView> next(int tag);
  bool at_end() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

// One element around the concatenation of `parts`.
SecretBytes write_der(int tag, std::initializer_list<ByteView> parts);
// INTEGER of a big-endian magnitude, which may begin with zero bytes.
SecretBytes write_der_integer(ByteView magnitude);

}  // namespace callseal
