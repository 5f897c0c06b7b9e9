// Opens the password-based encryption of one key file: PKCS#5 (RFC 8018), PKCS#12 (RFC 7292), traditional PEM.
//
// The module does what it can. What it cannot (PKCS#12 key derivation, MD5, scrypt, DES, RC2 …) is done by a private
// context with OpenSSL's default or legacy provider and is remembered for PrivateKey::unwrapped_outside. The decrypted
// bytes always go back to the module for decoding, so nothing but decryption ever happens outside.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bytes.h"
#include "pbes2.h"

namespace callseal {

// What one key file may make us spend on key derivation, all its derivations together. A hostile file asks for more.
struct KdfLimits {
  uint64_t iterations = 10'000'000;           // seconds; OWASP 2023 asks for 600,000
  uint64_t scrypt_bytes = uint64_t{1} << 30;  // memory: 128·r·(N + p)
  uint64_t scrypt_work = uint64_t{1} << 32;   // time: 128·r·(N + p)·p
};

// The cipher of a DEK-Info header such as "AES-256-CBC,<hex IV>".
std::string traditional_cipher_name(const std::string& dek_info);

// A passphrase with null data is absent, which PKCS#12 tells from an empty one. `form` names an encryption in messages.
class KeyDecryptor {
 public:
  // `path` is for messages.
  KeyDecryptor(std::string path, const KdfLimits& limits) : path_(std::move(path)), limits_(limits), left_(limits) {}

  // PBES1, PBES2 and the PKCS#12 schemes. kWrongPassphrase when the padding is wrong. A stream cipher, and one wrong
  // passphrase in 256, gives garbage instead, which the caller recognises. kKeyUnreadable for parameters that are
  // unsupported, damaged or over the limits.
  SecretBytes decrypt(const X509_ALGOR* algorithm, ByteView ciphertext, ByteView passphrase, const std::string& form);
  // PEM with RFC 1421 headers: the key is one round of MD5 over passphrase and IV.
  SecretBytes decrypt_traditional(const std::string& dek_info, ByteView ciphertext, ByteView passphrase,
                                  const std::string& form);

  // Runs `attempt` in the module's context, then in the default provider's, then in the legacy provider's, until it
  // returns true; `what` is noted unless the first did. False when none did.
  bool at_first_able_place(const std::string& what, const std::function<bool(const Place&)>& attempt);
  // Counts the cost of a key derivation, before it runs. kKeyUnreadable when it passes the limits.
  void charge_kdf(const X509_ALGOR* kdf);
  void charge_iterations(const ASN1_INTEGER* count);

  // Empty, or a sentence that says what was done outside the module and by whom.
  std::string outside() const;

  [[noreturn]] void wrong_passphrase(const std::string& form) const;
  [[noreturn]] void unreadable(const std::string& why) const;

 private:
  void note_outside(const std::string& note);
  void charge(const X509_ALGOR* algorithm);
  void charge_scrypt(const X509_ALGOR* kdf);
  SecretBytes run(CipherCtxPtr cipher, ByteView ciphertext, const std::string& form) const;

  std::string path_;
  KdfLimits limits_;
  KdfLimits left_;
  std::vector<std::string> outside_;
};

}  // namespace callseal
