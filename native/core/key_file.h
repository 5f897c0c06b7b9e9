// Private-key files: PEM, DER and PKCS#12 in every form of the last thirty years, read and written.
//
//   key_objects    splits a file into PEM blocks and DER objects     pem, der_shape
//   key_encryption undoes password-based encryption                  pbes2, pkcs12
//   key_file       decodes the first private key in the module's context
#pragma once

#include <string>
#include <vector>

#include "key_encryption.h"
#include "passphrase.h"
#include "rsa_key.h"

namespace callseal {

// Larger files are refused before they are read: no key file comes near.
constexpr size_t kMaxKeyFileBytes = 1 << 20;

struct ProbedPrivateKey {
  bool encrypted = false;
  // Such as "PKCS#8, PBES2 PBKDF2-HMAC-SHA256 DES-EDE3-CBC", "PKCS#1", "traditional PEM AES-256-CBC", "PKCS#12".
  std::string form;
};

struct KeyFileContents {
  std::vector<ProbedPrivateKey> private_keys;
  // Of certificates, public keys and unencrypted private keys in the same file, each once. A PKCS#12 file gives none.
  std::vector<Sha256> public_key_hints;
};

// What a file holds, found without any passphrase. A PKCS#12 file counts as encrypted although its passphrase may be
// empty, in which case it loads without one. A file that holds nothing recognisable, is longer than kMaxKeyFileBytes or
// is not a regular file (a pipe could be read only once) gives empty lists. kIo.
KeyFileContents probe_key_file(const std::string& path);
KeyFileContents probe_key_bytes(ByteView bytes);

// The first private key of a file or pipe. `passphrase` may be null; it is ignored for an unencrypted key.
// kPassphraseRequired, kWrongPassphrase, kKeyUnreadable (with what is there instead), kIo.
PrivateKey load_private_key(const std::string& path, const Passphrase* passphrase);
PrivateKey decode_private_key(ByteView bytes, const Passphrase* passphrase, const std::string& path_for_messages,
                              const KdfLimits& limits = {});

// PKCS#8 PEM, mode 0600, never over an existing file. With a passphrase: PBES2 with PBKDF2-HMAC-SHA-256, 16-byte salt,
// 600,000 iterations (OWASP 2023; every module accepts it), AES-256-CBC. kOutputExists, kIo; kNotApproved for a key
// that is neither RSA nor P-256 or P-384.
void save_private_key(const PrivateKey& key, const std::string& path, const Passphrase* passphrase);

}  // namespace callseal
