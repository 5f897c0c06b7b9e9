#include "ec_private_key_der.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <string>

#include "der.h"
#include "der_shape.h"
#include "ec_key.h"
#include "error.h"
#include "module.h"
#include "private_key_info.h"

namespace callseal {
namespace {

constexpr uint8_t kEcPublicKey[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01};
constexpr uint8_t kPrime256v1[] = {0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07};
constexpr uint8_t kSecp384r1[] = {0x2B, 0x81, 0x04, 0x00, 0x22};
constexpr uint8_t kOne[] = {1};
// Context-specific, constructed: what DerReader knows only the length of.
constexpr uint8_t kParametersTag = 0xA0;
constexpr uint8_t kPublicKeyTag = 0xA1;
constexpr uint8_t kUncompressed = 0x04;

bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin());
}

std::optional<EcCurve> curve_of(ByteView oid) {
  if (equal(oid, kPrime256v1)) return EcCurve::kP256;
  if (equal(oid, kSecp384r1)) return EcCurve::kP384;
  return std::nullopt;
}

ByteView oid_of(EcCurve curve) {
  return curve == EcCurve::kP256 ? ByteView(kPrime256v1) : ByteView(kSecp384r1);
}

// What the two forms say, in bytes of the file.
struct Parts {
  std::optional<EcCurve> curve;
  ByteView number;
  ByteView point;
};

// ECPrivateKey: version 1, the number, [0] curve and [1] public key.
std::optional<Parts> read_sec1(ByteView der, std::optional<EcCurve> curve) {
  std::optional<ByteView> content = DerReader(der).next(V_ASN1_SEQUENCE);
  if (!content) return std::nullopt;
  DerReader reader(*content);
  std::optional<ByteView> version = reader.next(V_ASN1_INTEGER);
  std::optional<ByteView> number = reader.next(V_ASN1_OCTET_STRING);
  if (!version || !equal(*version, kOne) || !number) return std::nullopt;
  Parts parts{curve, *number, {}};
  const uint8_t* at = number->end();
  while (std::optional<DerElement> element = reader.next()) {
    const uint8_t tag = *at;
    at += element->length;
    DerReader inside(element->content);
    if (element->length == 0) return std::nullopt;
    if (tag == kParametersTag) {
      std::optional<ByteView> oid = inside.next(V_ASN1_OBJECT);
      std::optional<EcCurve> named = oid ? curve_of(*oid) : std::nullopt;
      if (!named || (curve && curve != named)) return std::nullopt;
      parts.curve = named;
    } else if (tag == kPublicKeyTag) {
      std::optional<ByteView> bits = inside.next(V_ASN1_BIT_STRING);
      if (!bits || bits->size() < 2 || *bits->data() != 0) return std::nullopt;
      parts.point = bits->subview(1, bits->size() - 1);
    } else {
      return std::nullopt;
    }
  }
  return parts;
}

// PrivateKeyInfo with { id-ecPublicKey, curve } around an ECPrivateKey.
std::optional<Parts> read_pkcs8(ByteView der) {
  std::optional<PrivateKeyInfo> info = read_private_key_info(der);
  if (!info || !equal(info->algorithm, kEcPublicKey)) return std::nullopt;
  std::optional<ByteView> oid = info->parameters.next(V_ASN1_OBJECT);
  std::optional<EcCurve> curve = oid ? curve_of(*oid) : std::nullopt;
  return curve ? read_sec1(info->key, curve) : std::nullopt;
}

std::optional<Parts> read_parts(ByteView der) {
  const DerShape shape = der_shape(der);
  std::optional<Parts> parts;
  if (shape == DerShape::kPkcs8) parts = read_pkcs8(der);
  if (shape == DerShape::kSec1) parts = read_sec1(der, std::nullopt);
  if (!parts || !parts->curve) return std::nullopt;
  const size_t length = ec_number_bytes(*parts->curve);
  const bool whole = parts->number.size() == length && parts->point.size() == 2 * length + 1;
  if (!whole || *parts->point.data() != kUncompressed) return std::nullopt;
  return parts;
}

SecretBytes read_number(EVP_PKEY* key, size_t length) {
  SecretBytes number(length);
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, number.data(), number.size()),
                             OSSL_PARAM_construct_end()};
  require_openssl(EVP_PKEY_get_params(key, parameters) == 1 && OSSL_PARAM_modified(parameters) == 1,
                  "reading out a private key");
  // The provider pads to what it was given.
  swap_big_endian_and_native(number);
  return number;
}

// Without the zero bits that BIT STRING could leave out.
Bytes read_point(EVP_PKEY* key, size_t number_length) {
  Bytes point(2 * number_length + 1);
  size_t length = 0;
  require_openssl(
      EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &length) == 1 &&
          length == point.size() && point.front() == kUncompressed,
      "reading out a public key");
  return point;
}

SecretBytes write_context(uint8_t tag, ByteView content) {
  SecretBytes element = write_der(V_ASN1_SEQUENCE, {content});
  element.front() = tag;
  return element;
}

}  // namespace

PkeyPtr decode_ec_private_key(ByteView der) {
  std::optional<Parts> parts = read_parts(der);
  if (!parts) return nullptr;
  SecretBytes number(parts->number.begin(), parts->number.end());
  swap_big_endian_and_native(number);
  Bytes point = parts->point.copy();
  std::string group = ec_curve_name(*parts->curve);
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()),
                             OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_PRIV_KEY, number.data(), number.size()),
                             OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()),
                             OSSL_PARAM_construct_end()};
  const Module& module = Module::get();
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(module.context(), "EC", module.properties()));
  EVP_PKEY* key = nullptr;
  const bool ok = context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                  EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters) == 1;
  PkeyPtr owned(key);
  return ok ? std::move(owned) : nullptr;
}

SecretBytes encode_ec_private_key(EVP_PKEY* key) {
  const std::optional<EcCurve> curve = ec_curve(key);
  if (!curve) throw Error(Code::kNotApproved, "only RSA, P-256 and P-384 private keys are written to files");
  const size_t length = ec_number_bytes(*curve);
  SecretBytes number = read_number(key, length);
  Bytes bits = {0};
  const Bytes point = read_point(key, length);
  bits.insert(bits.end(), point.begin(), point.end());
  SecretBytes sec1 =
      write_der(V_ASN1_SEQUENCE, {view(write_der_integer(kOne)), view(write_der(V_ASN1_OCTET_STRING, {view(number)})),
                                  view(write_context(kPublicKeyTag, view(write_der(V_ASN1_BIT_STRING, {bits}))))});
  return write_private_key_info(kEcPublicKey, view(write_der(V_ASN1_OBJECT, {oid_of(*curve)})), view(sec1));
}

}  // namespace callseal
