#include "der.h"

#include <algorithm>

#include "quiet_errors.h"

namespace callseal {
namespace {

std::optional<DerElement> read_element(ByteView der) {
  if (der.empty()) return std::nullopt;
  const uint8_t* cursor = der.data();
  long length = 0;
  int tag = 0, tag_class = 0;
  // ASN1_get_object queues an error for every object that is not DER, which here is an answer.
  QuietErrors quiet;
  int result = ASN1_get_object(&cursor, &length, &tag, &tag_class, static_cast<long>(der.size()));
  if ((result & 0x80) != 0) return std::nullopt;
  size_t header = static_cast<size_t>(cursor - der.data());
  bool indefinite = (result & 1) != 0;
  DerElement element;
  if (tag_class == V_ASN1_UNIVERSAL) element.tag = tag;
  element.content = der.subview(header, indefinite ? der.size() - header : static_cast<size_t>(length));
  if (!indefinite) element.length = header + static_cast<size_t>(length);
  return element;
}

}  // namespace

std::optional<DerElement> DerReader::next() {
  std::optional<DerElement> element = read_element(rest_);
  size_t taken = element && element->length > 0 ? element->length : rest_.size();
  rest_ = rest_.subview(taken, rest_.size() - taken);
  return element;
}

std::optional<ByteView> DerReader::next(int tag) {
  std::optional<DerElement> element = next();
  if (!element || element->tag != tag || element->length == 0) return std::nullopt;
  return element->content;
}

SecretBytes write_der(int tag, std::initializer_list<ByteView> parts) {
  size_t length = 0;
  for (ByteView part : parts) length += part.size();
  int constructed = tag == V_ASN1_SEQUENCE ? 1 : 0;
  SecretBytes der(static_cast<size_t>(ASN1_object_size(constructed, static_cast<int>(length), tag)));
  uint8_t* cursor = der.data();
  ASN1_put_object(&cursor, constructed, static_cast<int>(length), tag, V_ASN1_UNIVERSAL);
  for (ByteView part : parts) cursor = std::copy(part.begin(), part.end(), cursor);
  return der;
}

SecretBytes write_der_integer(ByteView magnitude) {
  while (magnitude.size() > 1 && *magnitude.data() == 0) magnitude = magnitude.subview(1, magnitude.size() - 1);
  // A set top bit would make it negative.
  static constexpr uint8_t kZero[] = {0};
  bool needs_zero = magnitude.empty() || *magnitude.data() >= 0x80;
  return write_der(V_ASN1_INTEGER, {needs_zero ? ByteView(kZero) : ByteView(), magnitude});
}

}  // namespace callseal
