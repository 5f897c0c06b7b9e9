// Elliptic-curve keys, which only ever sign: their curves, their signatures in bytes of fixed length, their making.
#pragma once

#include <optional>

#include "bytes.h"
#include "openssl_ptr.h"

namespace callseal {

// Curves that Callseal signs with (SP 800-186).
enum class EcCurve { kP256, kP384 };

// Null for keys of other curves and algorithms, and for curves given by parameters instead of a name.
std::optional<EcCurve> ec_curve(EVP_PKEY* key);

// Such as "P-256", as every module knows it.
const char* ec_curve_name(EcCurve curve);

// Of the private number, and of each half of a signature.
size_t ec_number_bytes(EcCurve curve);

// A fresh key from the module.
PkeyPtr generate_ec_key(EcCurve curve);

// An ECDSA signature between OpenSSL's form, DER of varying length, and r ‖ s, each of ec_number_bytes(). Empty when
// it is neither.
Bytes ecdsa_from_der(ByteView der, EcCurve curve);
Bytes ecdsa_to_der(ByteView fixed, EcCurve curve);

}  // namespace callseal
