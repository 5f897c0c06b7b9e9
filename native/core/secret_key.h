// Symmetric keys of 32 bytes, each for one purpose. The bytes are cleared when the last owner lets go.
#pragma once

#include <string>

#include "bytes.h"

namespace callseal {

// What a key is for; see KeyUse in lib/native/binding.ts.
enum class KeyUse { kContent, kMac, kFloe, kGcm, kWrap, kCms };

const char* key_use_name(KeyUse use);

class SecretKey {
 public:
  static constexpr size_t kLength = 32;
  static constexpr size_t kMacLength = 32;

  // From the module's private DRBG.
  static SecretKey generate(KeyUse use);
  // kInvalidArgument unless `bytes` has 32 bytes.
  SecretKey(KeyUse use, ByteView bytes);

  KeyUse use() const { return use_; }
  // kKeyUse unless the key was made for `use`; then its bytes.
  ByteView bytes_for(KeyUse use) const;

  // SP 800-108r1 KBKDF in counter mode with HMAC-SHA-256: [i]_32 ‖ label ‖ 0x00 ‖ context ‖ [L]_32. Content keys only.
  SecretKey derive(KeyUse use, ByteView label, ByteView context) const;
  // HMAC-SHA-256 (FIPS 198-1) over the concatenation of `parts`. Mac keys only. Writes kMacLength bytes.
  void mac(std::initializer_list<ByteView> parts, uint8_t* out) const;
  // Constant-time. False for a tag of another length.
  bool verify_mac(ByteView data, ByteView tag) const;
  // AES-256-GCM with the IV made inside the module (SP 800-38D section 8.2.2): IV(12) ‖ ciphertext ‖ tag(16). Gcm keys
  // only.
  Bytes encrypt_gcm(ByteView plaintext, ByteView aad) const;
  // kTampered when authentication fails; nothing is returned then.
  SecretBytes decrypt_gcm(ByteView sealed, ByteView aad) const;
  // AES-256-KWP (SP 800-38F section 6.3, RFC 5649) of another key: 40 bytes. Wrap keys only.
  Bytes wrap_key(const SecretKey& key) const;
  SecretKey unwrap_key(ByteView wrapped, KeyUse use) const;

 private:
  KeyUse use_;
  SecretBytes bytes_;
};

}  // namespace callseal
