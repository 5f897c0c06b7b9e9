// AES-256-GCM over one message of any length, in pieces (NIST SP 800-38D; RFC 5084), without additional data.
#pragma once

#include "cms_asn1.h"
#include "openssl_ptr.h"
#include "secret_key.h"

namespace callseal {

// Either one encrypts or decrypts a single message with a key that serves no other. Pieces have at most 2^30 bytes.
class CmsEncryptor {
 public:
  // `key` is a cms key.
  explicit CmsEncryptor(const SecretKey& key);
  // The module makes it when the first plaintext comes, or the end without any: kCrypto before.
  CmsNonce nonce() const;
  void update(ByteView plaintext, uint8_t* out);
  CmsTag finish();

 private:
  CipherCtxPtr context_;
};

// What comes out is not authenticated before `finish` has returned.
class CmsDecryptor {
 public:
  CmsDecryptor(const SecretKey& key, const CmsNonce& nonce);
  // In place is allowed.
  void update(ByteView ciphertext, uint8_t* out);
  // kTampered unless the tag is right.
  void finish(const CmsTag& tag);

 private:
  CipherCtxPtr context_;
};

}  // namespace callseal
