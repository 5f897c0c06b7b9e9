#include "ec_key.h"

#include <openssl/ec.h>
#include <openssl/objects.h>

#include <string>

#include "error.h"
#include "module.h"

namespace callseal {
namespace {

using EcdsaPtr = OpensslPtr<ECDSA_SIG, ECDSA_SIG_free>;

int curve_nid(const char* name) {
  const int nist = EC_curve_nist2nid(name);
  return nist != NID_undef ? nist : OBJ_sn2nid(name);
}

}  // namespace

std::optional<EcCurve> ec_curve(EVP_PKEY* key) {
  char name[64];
  size_t length = 0;
  if (EVP_PKEY_is_a(key, "EC") != 1 || EVP_PKEY_get_group_name(key, name, sizeof name, &length) != 1) {
    take_openssl_errors();
    return std::nullopt;
  }
  switch (curve_nid(name)) {
    case NID_X9_62_prime256v1:
      return EcCurve::kP256;
    case NID_secp384r1:
      return EcCurve::kP384;
    default:
      return std::nullopt;
  }
}

const char* ec_curve_name(EcCurve curve) {
  return curve == EcCurve::kP256 ? "P-256" : "P-384";
}

size_t ec_number_bytes(EcCurve curve) {
  return curve == EcCurve::kP256 ? 32 : 48;
}

PkeyPtr generate_ec_key(EcCurve curve) {
  const Module& module = Module::get();
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(module.context(), "EC", module.properties()));
  EVP_PKEY* key = nullptr;
  const bool ok = context != nullptr && EVP_PKEY_keygen_init(context.get()) == 1 &&
                  EVP_PKEY_CTX_set_group_name(context.get(), ec_curve_name(curve)) == 1 &&
                  EVP_PKEY_generate(context.get(), &key) == 1;
  require_openssl(ok, "generating an elliptic-curve key");
  return PkeyPtr(key);
}

Bytes ecdsa_from_der(ByteView der, EcCurve curve) {
  const uint8_t* cursor = der.data();
  EcdsaPtr signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
  const int half = static_cast<int>(ec_number_bytes(curve));
  Bytes fixed(2 * ec_number_bytes(curve));
  if (signature == nullptr || cursor != der.end() ||
      BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), fixed.data(), half) != half ||
      BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), fixed.data() + half, half) != half) {
    take_openssl_errors();
    return {};
  }
  return fixed;
}

Bytes ecdsa_to_der(ByteView fixed, EcCurve curve) {
  const int half = static_cast<int>(ec_number_bytes(curve));
  if (fixed.size() != 2 * ec_number_bytes(curve)) return {};
  EcdsaPtr signature(ECDSA_SIG_new());
  BignumPtr r(BN_bin2bn(fixed.data(), half, nullptr));
  BignumPtr s(BN_bin2bn(fixed.data() + half, half, nullptr));
  require_openssl(
      signature != nullptr && r != nullptr && s != nullptr && ECDSA_SIG_set0(signature.get(), r.get(), s.get()) == 1,
      "encoding a signature");
  r.release();
  s.release();
  uint8_t* der = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &der);
  require_openssl(length > 0, "encoding a signature");
  Bytes encoded(der, der + length);
  OPENSSL_free(der);
  return encoded;
}

}  // namespace callseal
