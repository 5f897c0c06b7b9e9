// PKCS#12 files (RFC 7292): the integrity check, and the first private key inside.
#pragma once

#include <string>
#include <vector>

#include "key_encryption.h"
#include "passphrase.h"
#include "rsa_key.h"

namespace callseal {

inline void free_safes(STACK_OF(PKCS7) * safes) {
  sk_PKCS7_pop_free(safes, PKCS7_free);
}
inline void free_bags(STACK_OF(PKCS12_SAFEBAG) * bags) {
  sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}
using Pkcs7Ptr = OpensslPtr<PKCS7, PKCS7_free>;
using SafesPtr = OpensslPtr<STACK_OF(PKCS7), free_safes>;
using BagPtr = OpensslPtr<PKCS12_SAFEBAG, PKCS12_SAFEBAG_free>;
using BagsPtr = OpensslPtr<STACK_OF(PKCS12_SAFEBAG), free_bags>;

// The first private key as PKCS#8 DER. `passphrase` null: an empty and an absent one are tried, which some tools write.
// kPassphraseRequired (`path` names the file), kWrongPassphrase, kKeyUnreadable.
SecretBytes read_pkcs12(ByteView der, const ByteView* passphrase, const std::string& path, KeyDecryptor& decryptor);
// DER of every X.509 certificate; arguments and errors as above.
std::vector<Bytes> read_pkcs12_certificates(ByteView der, const ByteView* passphrase, const std::string& path,
                                            KeyDecryptor& decryptor);

struct LoadedPkcs12 {
  PrivateKey key;
  std::string certificate_pem;  // of the certificate for the key; empty when the file has none
};

// kKeyUnreadable when the file is not PKCS#12; otherwise as load_private_key.
LoadedPkcs12 load_pkcs12(const std::string& path, const Passphrase* passphrase);
LoadedPkcs12 decode_pkcs12(ByteView bytes, const Passphrase* passphrase, const std::string& path_for_messages,
                           const KdfLimits& limits = {});

// A key and its certificate for another machine: mode 0600, never over an existing file. The key is encrypted in the
// module (PBES2: PBKDF2-HMAC-SHA-256, AES-256-CBC); the MAC over the file is HMAC-SHA-256 under a key that PKCS12KDF
// derives in as many rounds, which no FIPS module offers and the default provider does: the result says so, and is
// empty where nothing was done outside the module. The certificate is not encrypted.
//
// `certificates` is PEM or DER that holds a certificate of the key, or empty: kInvalidArgument when there is none of
// the key in it. kOutputExists, kIo; kNotApproved for a key that is not RSA, kNotExportable for one in a token.
std::string save_pkcs12(const PrivateKey& key, const std::string& path, ByteView certificates,
                        const std::string& friendly_name, const Passphrase& passphrase);

}  // namespace callseal
