// Records in 3DES-CBC: IV(8) ‖ ciphertext ‖ the first 16 bytes of HMAC over everything before them.
#include "error.h"
#include "keyed_hmac.h"
#include "record_cipher.h"
#include "triple_des.h"

namespace callseal {
namespace {

using triple_des::kBlock;

class TripleDesRecordCipher : public RecordCipher {
 public:
  TripleDesRecordCipher(ByteView key, HashKind hash)
      : key_(key.begin(), key.begin() + triple_des::kKeyLength),
        mac_(hash, key.subview(triple_des::kKeyLength, key.size() - triple_des::kKeyLength)),
        decryption_(triple_des::start_decryption(view(key_))) {}

  size_t max_overhead() const override { return 2 * kBlock + kInnerTagLength; }
  size_t min_overhead() const override { return kBlock + 1 + kInnerTagLength; }
  size_t sealed_length(size_t plaintext) const override {
    return kBlock + triple_des::padded_length(plaintext) + kInnerTagLength;
  }

  void seal(uint8_t* record, size_t header_length, ByteView plaintext) override {
    // Only now: modules that refuse 3DES encryption still decrypt.
    if (encryption_ == nullptr) encryption_ = triple_des::start_encryption(view(key_));
    uint8_t* iv = record + header_length;
    triple_des::make_iv(iv);
    triple_des::encrypt(encryption_.get(), iv, plaintext, iv + kBlock);
    ByteView covered(record, header_length + kBlock + triple_des::padded_length(plaintext.size()));
    uint8_t tag[KeyedHmac::kMaxLength];
    mac_.compute({covered}, tag);
    std::copy(tag, tag + kInnerTagLength, record + covered.size());
  }

  std::optional<size_t> open(ByteView record, size_t header_length, uint8_t* out) override {
    size_t sealed = record.size() - header_length;
    if (sealed < max_overhead() || sealed % kBlock != 0) return std::nullopt;
    ByteView covered = record.subview(0, record.size() - kInnerTagLength);
    ByteView tag = record.subview(covered.size(), kInnerTagLength);
    // Before any decryption: nobody learns from the padding.
    if (!mac_.verify({covered}, tag)) return std::nullopt;
    ByteView text = covered.subview(header_length + kBlock, sealed - kBlock - kInnerTagLength);
    long length = triple_des::decrypt(decryption_.get(), record.data() + header_length, text, out);
    if (length >= 0) return static_cast<size_t>(length);
    OPENSSL_cleanse(out, text.size() - 1);
    return std::nullopt;
  }

 private:
  SecretBytes key_;
  KeyedHmac mac_;
  CipherCtxPtr decryption_;
  CipherCtxPtr encryption_;
};

}  // namespace

std::unique_ptr<RecordCipher> make_triple_des_record_cipher(ByteView key, HashKind hash) {
  return std::make_unique<TripleDesRecordCipher>(key, hash);
}

}  // namespace callseal
