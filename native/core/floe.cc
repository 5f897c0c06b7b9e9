#include "floe.h"

#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "error.h"
#include "module.h"
#include "out_of_memory.h"

namespace callseal {
namespace {

constexpr size_t kIvOffset = 10;
constexpr size_t kFloeIvLength = 32;
constexpr size_t kTagOffset = 42;
constexpr size_t kHeaderTagLength = 32;
constexpr size_t kMessageKeyLength = 48;
constexpr size_t kMarkLength = 4;
constexpr size_t kGcmIvLength = 12;
constexpr size_t kGcmTagLength = 16;
constexpr size_t kTextOffset = kMarkLength + kGcmIvLength;
constexpr uint32_t kMoreFollow = 0xFFFFFFFF;
constexpr uint32_t kMinSegment = 1024;
constexpr uint32_t kMaxSegment = 16777216;

void put_segment_aad(uint64_t index, bool final, uint8_t* out) {
  put_u64be(out, index);
  out[8] = final ? 1 : 0;
}

std::string segment_name(uint64_t index) {
  return "segment " + std::to_string(index);
}

// Feeds both parts of `text`; moves `*out` behind what came of them.
bool update(EVP_CIPHER_CTX* context, SplitView text, uint8_t** out) {
  for (ByteView part : {text.head(), text.rest()}) {
    int length = 0;
    if (part.empty()) continue;
    if (EVP_CipherUpdate(context, *out, &length, part.data(), static_cast<int>(part.size())) != 1) return false;
    *out += length;
  }
  return true;
}

}  // namespace

void FloeMessage::expand(ByteView key, std::string_view purpose, ByteView suffix, uint8_t* out, size_t length) const {
  Bytes info(header_.begin(), header_.begin() + kIvOffset + kFloeIvLength);
  info.insert(info.end(), purpose.begin(), purpose.end());
  info.insert(info.end(), suffix.begin(), suffix.end());
  info.insert(info.end(), aad_.begin(), aad_.end());
  KdfCtxPtr kdf(EVP_KDF_CTX_new(Module::get().hkdf()));
  require_openssl(kdf != nullptr, "allocating an HKDF context");
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>("SHA2-384"), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, const_cast<uint8_t*>(key.data()), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end(),
  };
  require_openssl(EVP_KDF_derive(kdf.get(), out, length, params) == 1, "deriving a FLOE key");
}

void FloeMessage::derive_message_key(const SecretKey& key) {
  message_key_.resize(kMessageKeyLength);
  expand(key.bytes_for(KeyUse::kFloe), "MESSAGE_KEY:", {}, message_key_.data(), message_key_.size());
}

void FloeMessage::derive_data_key(uint64_t index, uint8_t* out) const {
  uint8_t masked[8];
  put_u64be(masked, index >> rotation_bits_ << rotation_bits_);
  expand(view(message_key_), "DEK:", masked, out, SecretKey::kLength);
}

FloeMessage FloeMessage::create(const SecretKey& key, ByteView aad, uint32_t segment_length, unsigned rotation_bits) {
  if (segment_length <= kFloeSegmentOverhead || segment_length > kMaxSegment) {
    throw Error(Code::kInvalidArgument, "a segment has 33 to 16777216 bytes, not " + std::to_string(segment_length));
  }
  FloeMessage message(aad, rotation_bits);
  message.segment_length_ = segment_length;
  uint8_t* header = message.header_.data();  // AEAD 0, KDF 0
  put_u32be(header + 2, segment_length);
  put_u32be(header + 6, kFloeIvLength);
  require_openssl(RAND_bytes_ex(Module::get().context(), header + kIvOffset, kFloeIvLength, 256) == 1,
                  "generating a FLOE IV");
  message.expand(key.bytes_for(KeyUse::kFloe), "HEADER_TAG:", {}, header + kTagOffset, kHeaderTagLength);
  message.derive_message_key(key);
  return message;
}

FloeMessage FloeMessage::open(const SecretKey& key, ByteView aad, ByteView header, bool any_length,
                              unsigned rotation_bits) {
  if (header.size() != kFloeHeaderLength) throw Error(Code::kTruncated, "the body ends inside its 74-byte header");
  FloeMessage message(aad, rotation_bits);
  std::copy(header.begin(), header.end(), message.header_.begin());
  uint32_t segment_length = get_u32be(header.data() + 2);
  bool known = header.data()[0] == 0 && header.data()[1] == 0 && get_u32be(header.data() + 6) == kFloeIvLength;
  bool sane = any_length ? segment_length > kFloeSegmentOverhead : segment_length >= kMinSegment;
  if (!known || !sane || segment_length > kMaxSegment) {
    throw Error(Code::kTampered, "the body's header has parameters that format version 1 does not allow");
  }
  message.segment_length_ = segment_length;
  uint8_t tag[kHeaderTagLength];
  message.expand(key.bytes_for(KeyUse::kFloe), "HEADER_TAG:", {}, tag, sizeof tag);
  bool authentic = CRYPTO_memcmp(tag, header.data() + kTagOffset, kHeaderTagLength) == 0;
  OPENSSL_cleanse(tag, sizeof tag);
  if (!authentic) {
    forget_memory();
    throw Error(Code::kTampered, "the body's header fails authentication");
  }
  message.derive_message_key(key);
  return message;
}

uint64_t FloeMessage::encrypted_length(uint64_t plaintext_bytes) const {
  return kFloeHeaderLength + plaintext_bytes + segment_count(plaintext_bytes) * kFloeSegmentOverhead;
}

FloeCipher::FloeCipher(const FloeMessage& message)
    : message_(message), context_(EVP_CIPHER_CTX_new()), data_key_(SecretKey::kLength) {
  require_openssl(context_ != nullptr, "allocating a cipher context");
}

const uint8_t* FloeCipher::data_key(uint64_t index) {
  uint64_t epoch = index >> message_.rotation_bits_;
  if (epoch != data_key_epoch_) {
    message_.derive_data_key(index, data_key_.data());
    data_key_epoch_ = epoch;
  }
  return data_key_.data();
}

void FloeCipher::encrypt(uint64_t index, bool final, SplitView plaintext, uint8_t* out) {
  size_t size = plaintext.size();
  if (size > message_.plaintext_length() || (!final && size != message_.plaintext_length())) {
    throw Error(Code::kInvalidArgument, "a segment that is not the last carries exactly " +
                                            std::to_string(message_.plaintext_length()) + " bytes");
  }
  put_u32be(out, final ? static_cast<uint32_t>(size + kFloeSegmentOverhead) : kMoreFollow);
  uint8_t aad[9];
  put_segment_aad(index, final, aad);
  uint8_t* end = out + kTextOffset;
  EVP_CIPHER_CTX* context = context_.get();
  int length = 0;
  // Reset and initialised without an IV for every segment: that is what makes the module draw a fresh one.
  bool ok = EVP_CIPHER_CTX_reset(context) == 1 &&
            EVP_EncryptInit_ex2(context, Module::get().aes256_gcm(), data_key(index), nullptr, nullptr) == 1 &&
            EVP_EncryptUpdate(context, nullptr, &length, aad, sizeof aad) == 1 &&
            EVP_CIPHER_CTX_get_updated_iv(context, out + kMarkLength, kGcmIvLength) == 1 &&
            update(context, plaintext, &end) && EVP_EncryptFinal_ex(context, end, &length) == 1 &&
            EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kGcmTagLength, end) == 1;
  if (!ok) {
    OPENSSL_cleanse(out, size + kFloeSegmentOverhead);
    throw Error::openssl(Code::kCrypto, "encrypting " + segment_name(index) + " failed in the crypto module");
  }
}

void FloeCipher::decrypt(uint64_t index, bool final, SplitView segment, uint8_t* out) {
  if (segment.size() < kFloeSegmentOverhead || segment.size() > message_.segment_length()) {
    throw Error(Code::kTampered, segment_name(index) + " has an impossible length");
  }
  uint8_t start[kTextOffset], tag[kGcmTagLength];
  segment.subview(0, kTextOffset).copy_to(start);
  segment.subview(segment.size() - kGcmTagLength, kGcmTagLength).copy_to(tag);
  FloeMark mark = read_floe_mark(start, message_.segment_length());
  if (mark.final != final || mark.length != segment.size()) {
    throw Error(Code::kTampered, segment_name(index) + " is marked with another length than it has");
  }
  size_t size = segment.size() - kFloeSegmentOverhead;
  uint8_t aad[9];
  put_segment_aad(index, final, aad);
  EVP_CIPHER_CTX* context = context_.get();
  int length = 0;
  bool ready =
      EVP_CIPHER_CTX_reset(context) == 1 &&
      EVP_DecryptInit_ex2(context, Module::get().aes256_gcm(), data_key(index), start + kMarkLength, nullptr) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kGcmTagLength, tag) == 1;
  require_openssl(ready, "starting AES-256-GCM decryption");
  uint8_t* end = out;
  forget_memory();
  bool authentic = EVP_DecryptUpdate(context, nullptr, &length, aad, sizeof aad) == 1 &&
                   update(context, segment.subview(kTextOffset, size), &end) &&
                   EVP_DecryptFinal_ex(context, end, &length) == 1;
  if (!authentic) {
    if (size > 0) OPENSSL_cleanse(out, size);
    take_openssl_errors();
    throw Error(Code::kTampered, segment_name(index) + " fails authentication");
  }
}

FloeMark read_floe_mark(const uint8_t* segment, size_t segment_length) {
  uint32_t mark = get_u32be(segment);
  if (mark == kMoreFollow) return {false, segment_length};
  if (mark < kFloeSegmentOverhead || mark > segment_length) {
    throw Error(Code::kTampered, "a segment is marked with an impossible length");
  }
  return {true, mark};
}

}  // namespace callseal
