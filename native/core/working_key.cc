#include "working_key.h"

#include <openssl/rand.h>

#include "error.h"
#include "module.h"
#include "triple_des.h"

namespace callseal {
namespace {

constexpr size_t kAesKeyLength = 32;
constexpr size_t kHmacKeyLength = 32;

std::unique_ptr<RecordCipher> record_cipher(CipherKind cipher, HashKind hash, ByteView bytes) {
  if (!WorkingKey::is_sound(cipher, bytes)) {
    throw Error(Code::kInvalidArgument,
                "a working key has 32 bytes, or 24 of 3DES (odd parity, three distinct keys) and 32 of HMAC");
  }
  return cipher == CipherKind::kAes256 ? make_gcm_record_cipher(bytes) : make_triple_des_record_cipher(bytes, hash);
}

}  // namespace

size_t WorkingKey::length(CipherKind cipher) {
  return cipher == CipherKind::kAes256 ? kAesKeyLength : triple_des::kKeyLength + kHmacKeyLength;
}

SecretBytes WorkingKey::generate_bytes(CipherKind cipher) {
  SecretBytes bytes(length(cipher));
  require_openssl(RAND_priv_bytes_ex(Module::get().context(), bytes.data(), bytes.size(), 256) == 1,
                  "generating a working key");
  if (cipher == CipherKind::kTripleDes) {
    SecretBytes key = triple_des::generate();
    std::copy(key.begin(), key.end(), bytes.begin());
  }
  return bytes;
}

bool WorkingKey::is_sound(CipherKind cipher, ByteView bytes) {
  if (bytes.size() != length(cipher)) return false;
  return cipher == CipherKind::kAes256 || triple_des::is_sound(bytes.subview(0, triple_des::kKeyLength));
}

WorkingKey::WorkingKey(CipherKind cipher, HashKind hash, ByteView bytes, ByteView binding_key)
    : cipher_(cipher), hash_(hash), records_(record_cipher(cipher, hash, bytes)), binding_(hash, binding_key) {}

}  // namespace callseal
