#include "rsa_private_key_der.h"

#include <openssl/core_names.h>

#include <algorithm>
#include <array>

#include "der.h"
#include "der_shape.h"
#include "error.h"
#include "module.h"
#include "private_key_info.h"

namespace callseal {
namespace {

// Names of the numbers behind the version, in the order of RSAPrivateKey.
constexpr std::array<const char*, 8> kNumbers = {OSSL_PKEY_PARAM_RSA_N,         OSSL_PKEY_PARAM_RSA_E,
                                                 OSSL_PKEY_PARAM_RSA_D,         OSSL_PKEY_PARAM_RSA_FACTOR1,
                                                 OSSL_PKEY_PARAM_RSA_FACTOR2,   OSSL_PKEY_PARAM_RSA_EXPONENT1,
                                                 OSSL_PKEY_PARAM_RSA_EXPONENT2, OSSL_PKEY_PARAM_RSA_COEFFICIENT1};

using Numbers = std::array<SecretBytes, kNumbers.size()>;
using Parameters = std::array<OSSL_PARAM, kNumbers.size() + 1>;

constexpr uint8_t kRsaEncryption[] = {0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01};
constexpr uint8_t kZero[] = {0};

bool is_zero(ByteView integer) {
  return integer.size() == 1 && *integer.data() == 0;
}

Parameters as_parameters(Numbers& numbers) {
  Parameters parameters;
  for (size_t i = 0; i < kNumbers.size(); i++) {
    parameters[i] = OSSL_PARAM_construct_BN(kNumbers[i], numbers[i].data(), numbers[i].size());
  }
  parameters.back() = OSSL_PARAM_construct_end();
  return parameters;
}

// The RSAPrivateKey inside a PrivateKeyInfo of algorithm rsaEncryption.
std::optional<ByteView> inside_pkcs8(ByteView der) {
  std::optional<PrivateKeyInfo> info = read_private_key_info(der);
  if (!info) return std::nullopt;
  const ByteView oid = info->algorithm;
  const bool is_rsa = std::equal(oid.begin(), oid.end(), std::begin(kRsaEncryption), std::end(kRsaEncryption));
  return is_rsa ? std::optional<ByteView>(info->key) : std::nullopt;
}

std::optional<ByteView> rsa_private_key(ByteView der) {
  DerShape shape = der_shape(der);
  if (shape == DerShape::kPkcs8) return inside_pkcs8(der);
  return shape == DerShape::kPkcs1 ? std::optional<ByteView>(der) : std::nullopt;
}

std::optional<Numbers> read_numbers(ByteView pkcs1) {
  std::optional<ByteView> content = DerReader(pkcs1).next(V_ASN1_SEQUENCE);
  if (!content) return std::nullopt;
  DerReader reader(*content);
  std::optional<ByteView> version = reader.next(V_ASN1_INTEGER);
  if (!version || !is_zero(*version)) return std::nullopt;  // 1 stands for more than two primes
  Numbers numbers;
  for (SecretBytes& number : numbers) {
    std::optional<ByteView> integer = reader.next(V_ASN1_INTEGER);
    if (!integer || integer->empty() || *integer->data() >= 0x80 || is_zero(*integer)) return std::nullopt;
    number.assign(integer->begin(), integer->end());
    swap_big_endian_and_native(number);
  }
  return numbers;
}

}  // namespace

bool is_rsa_private_key(ByteView der) {
  return rsa_private_key(der).has_value();
}

PkeyPtr decode_rsa_private_key(ByteView der) {
  std::optional<ByteView> pkcs1 = rsa_private_key(der);
  std::optional<Numbers> numbers;
  if (pkcs1) numbers = read_numbers(*pkcs1);
  if (!numbers) return nullptr;
  const Module& module = Module::get();
  Parameters parameters = as_parameters(*numbers);
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(module.context(), "RSA", module.properties()));
  EVP_PKEY* key = nullptr;
  bool ok = context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1 &&
            EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEYPAIR, parameters.data()) == 1;
  PkeyPtr owned(key);
  return ok ? std::move(owned) : nullptr;
}

SecretBytes encode_rsa_private_key(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") != 1) throw Error(Code::kNotApproved, "only RSA private keys are written to files");
  Numbers numbers;
  for (SecretBytes& number : numbers) number.resize(static_cast<size_t>(EVP_PKEY_get_size(key)));
  Parameters parameters = as_parameters(numbers);
  require_openssl(EVP_PKEY_get_params(key, parameters.data()) == 1, "reading out a private key");
  SecretBytes content = write_der_integer(kZero);
  for (size_t i = 0; i < numbers.size(); i++) {
    require_openssl(OSSL_PARAM_modified(&parameters[i]) == 1, "reading out a private key");
    numbers[i].resize(parameters[i].return_size);
    swap_big_endian_and_native(numbers[i]);
    SecretBytes integer = write_der_integer(view(numbers[i]));
    content.insert(content.end(), integer.begin(), integer.end());
  }
  SecretBytes pkcs1 = write_der(V_ASN1_SEQUENCE, {view(content)});
  return write_private_key_info(kRsaEncryption, view(write_der(V_ASN1_NULL, {})), view(pkcs1));
}

}  // namespace callseal
