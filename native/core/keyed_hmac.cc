#include "keyed_hmac.h"

#include "error.h"
#include "module.h"

namespace callseal {

KeyedHmac::KeyedHmac(HashKind hash, ByteView key)
    : context_(EVP_MAC_CTX_new(Module::get().hmac())), length_(hash == HashKind::kSha256 ? 32 : 20) {
  require_openssl(context_ != nullptr, "allocating an HMAC context");
  const char* digest = hash == HashKind::kSha256 ? "SHA2-256" : "SHA1";
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>(digest), 0),
      OSSL_PARAM_construct_end(),
  };
  require_openssl(EVP_MAC_init(context_.get(), key.data(), key.size(), params) == 1, "preparing an HMAC");
  // A module that does not start anew without a key would make tags that nobody can verify.
  uint8_t first[kMaxLength];
  uint8_t second[kMaxLength];
  compute({}, first);
  compute({}, second);
  require_openssl(CRYPTO_memcmp(first, second, length_) == 0, "reusing an HMAC context");
}

void KeyedHmac::compute(std::initializer_list<ByteView> parts, uint8_t* out) {
  EVP_MAC_CTX* context = context_.get();
  bool ok = EVP_MAC_init(context, nullptr, 0, nullptr) == 1;
  for (ByteView part : parts) ok = ok && (part.empty() || EVP_MAC_update(context, part.data(), part.size()) == 1);
  size_t length = 0;
  ok = ok && EVP_MAC_final(context, out, &length, length_) == 1 && length == length_;
  require_openssl(ok, "computing an HMAC");
}

bool KeyedHmac::verify(std::initializer_list<ByteView> parts, ByteView tag) {
  if (tag.size() < kMinTag || tag.size() > length_) return false;
  uint8_t expected[kMaxLength];
  compute(parts, expected);
  bool equal = CRYPTO_memcmp(expected, tag.data(), tag.size()) == 0;
  OPENSSL_cleanse(expected, sizeof expected);
  return equal;
}

}  // namespace callseal
