#include "der_shape.h"

#include "der.h"

namespace callseal {
namespace {

// The first few children of a SEQUENCE, and how many there are up to a bound.
struct Children {
  static constexpr int kMax = 10;
  DerElement at[kMax];
  int count = 0;

  int tag(int index) const { return index < count ? at[index].tag : -2; }
};

Children read_children(ByteView content) {
  Children children;
  DerReader reader(content);
  while (children.count < Children::kMax) {
    std::optional<DerElement> child = reader.next();
    if (!child) break;
    children.at[children.count++] = *child;
  }
  return children;
}

int small_integer(const DerElement& element) {
  return element.content.size() == 1 ? *element.content.data() : -1;
}

DerShape shape_after_integer(const Children& children) {
  int version = small_integer(children.at[0]);
  switch (children.tag(1)) {
    case V_ASN1_SEQUENCE:
      if (version == 3) return DerShape::kPkcs12;
      return children.tag(2) == V_ASN1_OCTET_STRING ? DerShape::kPkcs8 : DerShape::kUnknown;
    case V_ASN1_OCTET_STRING:
      return version == 1 ? DerShape::kSec1 : DerShape::kUnknown;
    case V_ASN1_INTEGER:
      if (children.count == 2) return DerShape::kPkcs1PublicKey;
      if (children.count == 6) return DerShape::kDsa;
      return children.count >= 9 ? DerShape::kPkcs1 : DerShape::kUnknown;
    default:
      return DerShape::kUnknown;
  }
}

DerShape shape_after_sequence(const Children& children) {
  switch (children.tag(1)) {
    case V_ASN1_OCTET_STRING:
      return DerShape::kEncryptedPkcs8;
    case V_ASN1_BIT_STRING:
      return DerShape::kPublicKey;
    case V_ASN1_SEQUENCE:
      return children.tag(2) == V_ASN1_BIT_STRING ? DerShape::kCertificate : DerShape::kUnknown;
    default:
      return DerShape::kUnknown;
  }
}

}  // namespace

DerShape der_shape(ByteView der) {
  std::optional<DerElement> outer = DerReader(der).next();
  if (!outer || outer->tag != V_ASN1_SEQUENCE) return DerShape::kUnknown;
  Children children = read_children(outer->content);
  if (children.tag(0) == V_ASN1_INTEGER) return shape_after_integer(children);
  if (children.tag(0) == V_ASN1_SEQUENCE) return shape_after_sequence(children);
  return DerShape::kUnknown;
}

size_t der_object_length(ByteView der) {
  std::optional<DerElement> outer = DerReader(der).next();
  return outer ? outer->length : 0;
}

const char* der_shape_name(DerShape shape) {
  switch (shape) {
    case DerShape::kPkcs8:
    case DerShape::kEncryptedPkcs8:
      return "PKCS#8";
    case DerShape::kPkcs1:
      return "PKCS#1";
    case DerShape::kSec1:
      return "SEC 1 (EC)";
    case DerShape::kDsa:
      return "traditional DSA";
    case DerShape::kPkcs12:
      return "PKCS#12";
    case DerShape::kCertificate:
      return "certificate";
    case DerShape::kPublicKey:
      return "public key";
    case DerShape::kPkcs1PublicKey:
      return "PKCS#1 public key";
    case DerShape::kUnknown:
      break;
  }
  return "unknown";
}

bool is_private_key(DerShape shape) {
  switch (shape) {
    case DerShape::kPkcs8:
    case DerShape::kEncryptedPkcs8:
    case DerShape::kPkcs1:
    case DerShape::kSec1:
    case DerShape::kDsa:
    case DerShape::kPkcs12:
      return true;
    default:
      return false;
  }
}

}  // namespace callseal
