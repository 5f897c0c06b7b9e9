#include "pbes2.h"

#include <openssl/core_names.h>
#include <openssl/objects.h>

namespace callseal {
namespace {

std::string object_name(const ASN1_OBJECT* object) {
  int nid = OBJ_obj2nid(object);
  if (nid != NID_undef) return OBJ_nid2sn(nid);
  char text[128];
  return OBJ_obj2txt(text, sizeof text, object, 1) > 0 ? text : "unknown";
}

// Without OpenSSL's "PBE-" in front, for which "PBES1" stands.
std::string describe_pbes1(const X509_ALGOR* algorithm) {
  std::string name = object_name(algorithm->algorithm);
  const std::string prefix = "PBE-";
  return name.compare(0, prefix.size(), prefix) == 0 ? "PBES1 " + name.substr(prefix.size()) : name;
}

std::string describe_kdf(const X509_ALGOR* kdf) {
  int nid = algorithm_nid(kdf);
  if (nid == NID_id_scrypt) return "scrypt";
  if (nid != NID_id_pbkdf2) return object_name(kdf->algorithm);
  Pbkdf2ParamPtr parameters = pbkdf2_parameters(kdf);
  if (parameters == nullptr) return "PBKDF2";
  const char* digest = hmac_digest(parameters->prf);
  return std::string("PBKDF2-HMAC-") + (digest != nullptr ? digest : "unknown");
}

// A key length that is stated must be the one needed.
bool key_length_fits(const ASN1_INTEGER* stated, size_t needed) {
  uint64_t length = 0;
  return stated == nullptr || (ASN1_INTEGER_get_uint64(&length, stated) == 1 && length == needed);
}

OSSL_PARAM octets(const char* name, ByteView bytes) {
  // OSSL_PARAM has no const; the KDF copies what it is given. It also wants a pointer where the length is 0.
  static uint8_t none;
  void* data = bytes.data() != nullptr ? const_cast<uint8_t*>(bytes.data()) : &none;
  return OSSL_PARAM_construct_octet_string(name, data, bytes.size());
}

bool run_kdf(const Place& place, const char* name, const OSSL_PARAM* parameters, SecretBytes& key) {
  KdfPtr kdf(EVP_KDF_fetch(place.context, name, place.properties));
  KdfCtxPtr context(kdf != nullptr ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  return context != nullptr && EVP_KDF_derive(context.get(), key.data(), key.size(), parameters) == 1;
}

bool derive_pbkdf2(const Place& place, const X509_ALGOR* kdf, ByteView passphrase, SecretBytes& key) {
  Pbkdf2ParamPtr parameters = pbkdf2_parameters(kdf);
  if (parameters == nullptr || parameters->salt->type != V_ASN1_OCTET_STRING) return false;
  const char* digest = hmac_digest(parameters->prf);
  uint64_t iterations = 0;
  if (digest == nullptr || !key_length_fits(parameters->keylength, key.size()) ||
      ASN1_INTEGER_get_uint64(&iterations, parameters->iter) != 1) {
    return false;
  }
  const ASN1_OCTET_STRING* salt = parameters->salt->value.octet_string;
  // "pkcs5" lifts SP 800-132's lower bounds (16 bytes of salt, 1000 iterations), which old key files do not meet.
  int pkcs5 = 1;
  const OSSL_PARAM arguments[] = {
      octets(OSSL_KDF_PARAM_PASSWORD, passphrase),
      octets(OSSL_KDF_PARAM_SALT, ByteView(salt->data, static_cast<size_t>(salt->length))),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_ITER, &iterations),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(digest), 0),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_PKCS5, &pkcs5),
      OSSL_PARAM_construct_end(),
  };
  return run_kdf(place, "PBKDF2", arguments, key);
}

bool derive_scrypt(const Place& place, const X509_ALGOR* kdf, ByteView passphrase, SecretBytes& key) {
  ScryptParamPtr parameters = scrypt_parameters(kdf);
  uint64_t n = 0, r = 0, p = 0;
  if (parameters == nullptr || ASN1_INTEGER_get_uint64(&n, parameters->costParameter) != 1 ||
      ASN1_INTEGER_get_uint64(&r, parameters->blockSize) != 1 ||
      ASN1_INTEGER_get_uint64(&p, parameters->parallelizationParameter) != 1 ||
      !key_length_fits(parameters->keyLength, key.size())) {
    return false;
  }
  const ASN1_OCTET_STRING* salt = parameters->salt;
  // OpenSSL's own bound of 32 MiB would refuse what others write; the caller has bounded N·r·p.
  uint64_t max_memory = UINT64_MAX;
  const OSSL_PARAM arguments[] = {
      octets(OSSL_KDF_PARAM_PASSWORD, passphrase),
      octets(OSSL_KDF_PARAM_SALT, ByteView(salt->data, static_cast<size_t>(salt->length))),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_R, &r),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_P, &p),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &max_memory),
      OSSL_PARAM_construct_end(),
  };
  return run_kdf(place, "SCRYPT", arguments, key);
}

// Ciphers of PBES2 that leave authentication to nobody: the others need more than a key and an IV.
bool is_plain_mode(const EVP_CIPHER* cipher) {
  int mode = EVP_CIPHER_get_mode(cipher);
  return mode == EVP_CIPH_CBC_MODE || mode == EVP_CIPH_CFB_MODE || mode == EVP_CIPH_OFB_MODE;
}

}  // namespace

Pbe1ParamPtr pbe1_parameters(const X509_ALGOR* algorithm) {
  return parse_parameter<Pbe1ParamPtr>(algorithm, ASN1_ITEM_rptr(PBEPARAM));
}

Pbe2ParamPtr pbe2_parameters(const X509_ALGOR* algorithm) {
  return parse_parameter<Pbe2ParamPtr>(algorithm, ASN1_ITEM_rptr(PBE2PARAM));
}

Pbkdf2ParamPtr pbkdf2_parameters(const X509_ALGOR* kdf) {
  return parse_parameter<Pbkdf2ParamPtr>(kdf, ASN1_ITEM_rptr(PBKDF2PARAM));
}

ScryptParamPtr scrypt_parameters(const X509_ALGOR* kdf) {
  return parse_parameter<ScryptParamPtr>(kdf, ASN1_ITEM_rptr(SCRYPT_PARAMS));
}

int algorithm_nid(const X509_ALGOR* algorithm) {
  return OBJ_obj2nid(algorithm->algorithm);
}

const char* hmac_digest(const X509_ALGOR* hmac) {
  int digest = NID_sha1;
  if (hmac != nullptr && EVP_PBE_find(EVP_PBE_TYPE_PRF, algorithm_nid(hmac), nullptr, &digest, nullptr) != 1) {
    return nullptr;
  }
  return OBJ_nid2sn(digest);
}

std::string describe_encryption(const X509_ALGOR* algorithm) {
  if (algorithm_nid(algorithm) != NID_pbes2) return describe_pbes1(algorithm);
  Pbe2ParamPtr parameters = pbe2_parameters(algorithm);
  if (parameters == nullptr) return "PBES2";
  return "PBES2 " + describe_kdf(parameters->keyfunc) + " " + object_name(parameters->encryption->algorithm);
}

bool derive_key(const Place& place, const X509_ALGOR* kdf, ByteView passphrase, SecretBytes& key) {
  switch (algorithm_nid(kdf)) {
    case NID_id_pbkdf2:
      return derive_pbkdf2(place, kdf, passphrase, key);
    case NID_id_scrypt:
      return derive_scrypt(place, kdf, passphrase, key);
    default:
      return false;
  }
}

CipherCtxPtr prepare_pbes2(const Place& place, const PBE2PARAM* parameters, ByteView passphrase) {
  int nid = algorithm_nid(parameters->encryption);
  if (nid == NID_undef) return nullptr;
  CipherPtr cipher(EVP_CIPHER_fetch(place.context, OBJ_nid2sn(nid), place.properties));
  if (cipher == nullptr || !is_plain_mode(cipher.get())) return nullptr;
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  // The IV, and for RC2 the key length, come from the cipher's own parameters, so these go first.
  if (context == nullptr || EVP_DecryptInit_ex2(context.get(), cipher.get(), nullptr, nullptr, nullptr) != 1 ||
      EVP_CIPHER_asn1_to_param(context.get(), parameters->encryption->parameter) <= 0) {
    return nullptr;
  }
  SecretBytes key(static_cast<size_t>(EVP_CIPHER_CTX_get_key_length(context.get())));
  if (!derive_key(place, parameters->keyfunc, passphrase, key)) return nullptr;
  return EVP_DecryptInit_ex2(context.get(), nullptr, key.data(), nullptr, nullptr) == 1 ? std::move(context) : nullptr;
}

}  // namespace callseal
