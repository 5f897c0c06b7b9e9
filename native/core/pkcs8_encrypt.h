// Private keys encrypted with a passphrase, as this package writes them: PKCS#8 (RFC 5958) with PBES2 (RFC 8018).
#pragma once

#include "bytes.h"
#include "openssl_ptr.h"

namespace callseal {

// Rounds of key derivation under a passphrase, everywhere we choose them (OWASP 2023; every module accepts it).
constexpr int kPassphraseIterations = 600'000;
constexpr int kPassphraseSaltBytes = 16;

// EncryptedPrivateKeyInfo of a PKCS#8 structure: PBKDF2-HMAC-SHA-256 and AES-256-CBC, in the module.
Pkcs8Ptr encrypt_pkcs8(const SecretBytes& der, ByteView passphrase);

}  // namespace callseal
