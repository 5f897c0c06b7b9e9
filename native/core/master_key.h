// A master key: wraps working keys and authenticates their rows (docs/keys.md, "Keys derived from a master key").
#pragma once

#include <memory>

#include "bytes.h"
#include "rsa_key.h"
#include "secret_key.h"
#include "suite.h"
#include "working_key.h"

namespace callseal {

struct CreatedWorkingKey {
  std::shared_ptr<const WorkingKey> key;
  Bytes wrapped;
};

// Immutable: any number of threads may use one.
class MasterKey {
 public:
  // Store id ‖ master key id.
  static constexpr size_t kContextLength = 32;
  static constexpr size_t kMacLength = SecretKey::kMacLength;

  // From the module's private DRBG. kNotApproved for 3DES where the module refuses to encrypt with it.
  static MasterKey generate(CipherKind cipher, ByteView context);
  // The key that `wrap_for` wrapped for `key`. kTampered.
  static MasterKey unwrap(const PrivateKey& key, ByteView wrapped, CipherKind cipher, ByteView context);
  // 32 bytes, or 24 with odd parity and three distinct keys; kInvalidArgument for others.
  MasterKey(CipherKind cipher, ByteView bytes, ByteView context);

  CipherKind cipher() const { return cipher_; }
  // RSA-OAEP for an installation key: as PublicKey::encrypt_oaep.
  Bytes wrap_for(const PublicKey& key) const;

  // HMAC-SHA-256 of a working key's row: kMacLength bytes.
  void mac_row(ByteView row, uint8_t* out) const;
  // Constant-time.
  bool verify_row(ByteView row, ByteView mac) const;

  // A fresh working key. kNotApproved where the module refuses 3DES encryption that the key or its wrapping needs.
  CreatedWorkingKey create_working_key(CipherKind cipher, HashKind hash) const;
  // Verifies the row's MAC and that the row ends with `wrapped`; then unwraps. kKeySubstituted when any of it fails.
  std::shared_ptr<const WorkingKey> open_working_key(CipherKind cipher, HashKind hash, ByteView row, ByteView mac,
                                                     ByteView wrapped) const;

 private:
  Bytes wrap(ByteView key) const;

  CipherKind cipher_;
  SecretBytes bytes_;
  SecretBytes wrapping_key_;
  SecretKey row_key_;
  SecretBytes binding_key_;
};

}  // namespace callseal
