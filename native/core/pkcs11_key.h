// RSA keys in PKCS#11 tokens: made there, found there, used there.
#pragma once

#include "passphrase.h"
#include "pkcs11_module.h"
#include "rsa_key.h"

namespace callseal {

// Makes an RSA key of 2048, 3072 or 4096 bits, e = 65537, that the token never gives out (sensitive, not extractable),
// for signing and decryption; `address.object_label` is needed, an id is made up when there is none. kOutputExists when
// a private key of that label or id is there, kInvalidArgument, kNotApproved when the token makes keys that it would
// give out; otherwise as below.
PrivateKey generate_token_key(const TokenAddress& address, int bits, const Passphrase& pin);

// The only private key that fits the address, tried once: what is wrapped with its public key opens. The PIN is kept,
// in memory that is cleared with the key, to log in again when the token was away. kNoMatchingKey; kWrongPassphrase;
// kKeyUnreadable: no such token, a locked one, a key that is not RSA or may not decrypt; kInvalidArgument when several
// tokens or keys fit.
//
// PrivateKey::unwrapped_outside says that the token is outside the FIPS module, and what it leaves to this process.
PrivateKey open_token_key(const TokenAddress& address, const Passphrase& pin);

}  // namespace callseal
