// The parts of PKCS#5 version 2 (RFC 8018): parameters, key derivation, cipher; and names for every PBE scheme.
#pragma once

#include <string>

#include "bytes.h"
#include "openssl_ptr.h"

namespace callseal {

using Pbe1ParamPtr = OpensslPtr<PBEPARAM, PBEPARAM_free>;
using Pbe2ParamPtr = OpensslPtr<PBE2PARAM, PBE2PARAM_free>;
using Pbkdf2ParamPtr = OpensslPtr<PBKDF2PARAM, PBKDF2PARAM_free>;
using ScryptParamPtr = OpensslPtr<SCRYPT_PARAMS, SCRYPT_PARAMS_free>;

// A library context and the property query of every fetch from it.
struct Place {
  OSSL_LIB_CTX* context;
  const char* properties;
};

// The parameter of an AlgorithmIdentifier; null when it is not what `Pointer` points to.
template <typename Pointer>
Pointer parse_parameter(const X509_ALGOR* algorithm, const ASN1_ITEM* item) {
  using T = typename Pointer::element_type;
  return Pointer(static_cast<T*>(ASN1_TYPE_unpack_sequence(item, algorithm->parameter)));
}
Pbe1ParamPtr pbe1_parameters(const X509_ALGOR* algorithm);
Pbe2ParamPtr pbe2_parameters(const X509_ALGOR* algorithm);
Pbkdf2ParamPtr pbkdf2_parameters(const X509_ALGOR* kdf);
ScryptParamPtr scrypt_parameters(const X509_ALGOR* kdf);

int algorithm_nid(const X509_ALGOR* algorithm);

// The digest of an HMAC identifier such as hmacWithSHA256, by OpenSSL's name; null when it is none. A null algorithm is
// RFC 8018's default, SHA-1.
const char* hmac_digest(const X509_ALGOR* hmac);

// Such as "PBES2 PBKDF2-HMAC-SHA256 AES-256-CBC", "PBES1 MD5-DES", or an object identifier where OpenSSL knows no name.
std::string describe_encryption(const X509_ALGOR* algorithm);

// Fills `key` by PBKDF2 or scrypt. False when this place cannot. Costs are the caller's to bound.
bool derive_key(const Place& place, const X509_ALGOR* kdf, ByteView passphrase, SecretBytes& key);

// A cipher context ready to decrypt; null when this place cannot.
CipherCtxPtr prepare_pbes2(const Place& place, const PBE2PARAM* parameters, ByteView passphrase);

}  // namespace callseal
