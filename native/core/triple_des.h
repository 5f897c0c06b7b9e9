// 3DES in CBC mode with three distinct keys (SP 800-67 rev. 2, keying option 1), for suites that ask for it.
#pragma once

#include "bytes.h"
#include "openssl_ptr.h"

namespace callseal::triple_des {

constexpr size_t kKeyLength = 24;
constexpr size_t kBlock = 8;

void set_odd_parity(uint8_t* key);
// 24 bytes, each of odd parity, and no two of the three keys alike. Modules themselves accept K1 = K2.
bool is_sound(ByteView key);
// From the module's private DRBG, sound.
SecretBytes generate();

// A context with `key`, which takes an IV (and with it a new message) by another initialisation. PKCS#7 padding.
// kNotApproved where the module refuses 3DES encryption; the message says what to do.
CipherCtxPtr start_encryption(ByteView key);
// kNotApproved where the module has no 3DES at all.
CipherCtxPtr start_decryption(ByteView key);

// A random block, as an IV.
void make_iv(uint8_t* out);

// `plaintext` with its padding.
constexpr size_t padded_length(size_t plaintext) {
  return (plaintext / kBlock + 1) * kBlock;
}

// One message in a context of start_encryption: writes padded_length(plaintext.size()) bytes.
void encrypt(EVP_CIPHER_CTX* context, const uint8_t* iv, ByteView plaintext, uint8_t* out);
// One message in a context of start_decryption. Returns the plaintext's length, or −1 when the padding is wrong: only
// for ciphertext that was authenticated. Writes less than ciphertext.size() bytes.
long decrypt(EVP_CIPHER_CTX* context, const uint8_t* iv, ByteView ciphertext, uint8_t* out);

}  // namespace callseal::triple_des
