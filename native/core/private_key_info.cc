#include "private_key_info.h"

namespace callseal {
namespace {

constexpr uint8_t kVersion1[] = {0};

}  // namespace

std::optional<PrivateKeyInfo> read_private_key_info(ByteView der) {
  std::optional<ByteView> info = DerReader(der).next(V_ASN1_SEQUENCE);
  if (!info) return std::nullopt;
  DerReader reader(*info);
  std::optional<ByteView> version = reader.next(V_ASN1_INTEGER);
  std::optional<ByteView> identifier = reader.next(V_ASN1_SEQUENCE);
  std::optional<ByteView> key = reader.next(V_ASN1_OCTET_STRING);
  if (!version || !identifier || !key) return std::nullopt;
  DerReader parameters(*identifier);
  std::optional<ByteView> algorithm = parameters.next(V_ASN1_OBJECT);
  if (!algorithm) return std::nullopt;
  return PrivateKeyInfo{*algorithm, parameters, *key};
}

SecretBytes write_private_key_info(ByteView algorithm, ByteView parameters, ByteView key) {
  SecretBytes identifier = write_der(V_ASN1_SEQUENCE, {view(write_der(V_ASN1_OBJECT, {algorithm})), parameters});
  return write_der(V_ASN1_SEQUENCE,
                   {view(write_der_integer(kVersion1)), view(identifier), view(write_der(V_ASN1_OCTET_STRING, {key}))});
}

}  // namespace callseal
