// Records in AES-256-GCM: IV(12) ‖ ciphertext ‖ tag(16), AAD = the header.
#include "error.h"
#include "module.h"
#include "openssl_ptr.h"
#include "out_of_memory.h"
#include "record_cipher.h"

namespace callseal {
namespace {

constexpr size_t kIvLength = 12;

class GcmRecordCipher : public RecordCipher {
 public:
  explicit GcmRecordCipher(ByteView key)
      : key_(key.begin(), key.end()), encryption_(EVP_CIPHER_CTX_new()), decryption_(EVP_CIPHER_CTX_new()) {
    require_openssl(
        encryption_ != nullptr && decryption_ != nullptr &&
            EVP_DecryptInit_ex2(decryption_.get(), Module::get().aes256_gcm(), key_.data(), nullptr, nullptr) == 1,
        "preparing AES-256-GCM");
  }

  size_t max_overhead() const override { return kIvLength + kInnerTagLength; }
  size_t min_overhead() const override { return max_overhead(); }
  size_t sealed_length(size_t plaintext) const override { return plaintext + max_overhead(); }

  void seal(uint8_t* record, size_t header_length, ByteView plaintext) override {
    uint8_t* iv = record + header_length;
    uint8_t* text = iv + kIvLength;
    size_t size = plaintext.size();
    EVP_CIPHER_CTX* context = encryption_.get();
    int length = 0;
    // Reset and given the key anew for every record: that is what makes the module draw a fresh IV.
    bool ok = EVP_CIPHER_CTX_reset(context) == 1 &&
              EVP_EncryptInit_ex2(context, Module::get().aes256_gcm(), key_.data(), nullptr, nullptr) == 1 &&
              EVP_EncryptUpdate(context, nullptr, &length, record, static_cast<int>(header_length)) == 1 &&
              (size == 0 || EVP_EncryptUpdate(context, text, &length, plaintext.data(), static_cast<int>(size)) == 1) &&
              EVP_EncryptFinal_ex(context, text + size, &length) == 1 &&
              EVP_CIPHER_CTX_get_updated_iv(context, iv, kIvLength) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kInnerTagLength, text + size) == 1;
    require_openssl(ok, "encrypting a record");
  }

  std::optional<size_t> open(ByteView record, size_t header_length, uint8_t* out) override {
    if (record.size() - header_length < min_overhead()) return std::nullopt;
    size_t size = record.size() - header_length - min_overhead();
    const uint8_t* iv = record.data() + header_length;
    const uint8_t* text = iv + kIvLength;
    uint8_t tag[kInnerTagLength];
    std::copy(record.end() - kInnerTagLength, record.end(), tag);
    EVP_CIPHER_CTX* context = decryption_.get();
    int length = 0;
    require_openssl(EVP_DecryptInit_ex2(context, nullptr, nullptr, iv, nullptr) == 1 &&
                        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kInnerTagLength, tag) == 1,
                    "starting to decrypt a record");
    forget_memory();
    bool authentic =
        EVP_DecryptUpdate(context, nullptr, &length, record.data(), static_cast<int>(header_length)) == 1 &&
        (size == 0 || EVP_DecryptUpdate(context, out, &length, text, static_cast<int>(size)) == 1) &&
        EVP_DecryptFinal_ex(context, out + size, &length) == 1;
    if (authentic) return size;
    if (size > 0) OPENSSL_cleanse(out, size);
    take_openssl_errors();
    return std::nullopt;
  }

 private:
  SecretBytes key_;
  CipherCtxPtr encryption_;
  CipherCtxPtr decryption_;
};

}  // namespace

std::unique_ptr<RecordCipher> make_gcm_record_cipher(ByteView key) {
  return std::make_unique<GcmRecordCipher>(key);
}

}  // namespace callseal
