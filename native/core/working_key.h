// A working key: encrypts the records of one area under one master key's binding key.
#pragma once

#include <memory>
#include <mutex>

#include "bytes.h"
#include "keyed_hmac.h"
#include "record_cipher.h"
#include "suite.h"

namespace callseal {

class WorkingKey {
 public:
  // 32 bytes (AES-256), or 24 bytes of 3DES key and 32 of HMAC key.
  static size_t length(CipherKind cipher);
  // From the module's private DRBG; 3DES keys with odd parity and three distinct keys.
  static SecretBytes generate_bytes(CipherKind cipher);
  // Such as generate_bytes makes.
  static bool is_sound(CipherKind cipher, ByteView bytes);

  // kInvalidArgument for bytes that are not sound. kNotApproved for 3DES where the module has none.
  WorkingKey(CipherKind cipher, HashKind hash, ByteView bytes, ByteView binding_key);

  CipherKind cipher() const { return cipher_; }
  HashKind hash() const { return hash_; }
  // Bytes of a record beyond header and plaintext, at most and at least.
  size_t overhead() const { return records_->max_overhead() + binding_.length(); }
  size_t min_overhead() const { return records_->min_overhead() + binding_.length(); }
  // Bytes of a record beyond its header.
  size_t protected_length(size_t plaintext) const { return records_->sealed_length(plaintext) + binding_.length(); }

  // The prepared contexts, which serve one record at a time: whoever shares the key waits for the other here. Hold no
  // two at once.
  class Use {
   public:
    explicit Use(const WorkingKey& key) : lock_(key.mutex_), records(*key.records_), binding(key.binding_) {}

   private:
    std::lock_guard<std::mutex> lock_;

   public:
    RecordCipher& records;
    KeyedHmac& binding;
  };

 private:
  CipherKind cipher_;
  HashKind hash_;
  mutable std::mutex mutex_;
  std::unique_ptr<RecordCipher> records_;
  mutable KeyedHmac binding_;
};

}  // namespace callseal
