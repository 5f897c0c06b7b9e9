#include "pkcs12_mac.h"

#include <openssl/err.h>

#include "error.h"

namespace callseal {
namespace {

constexpr uint8_t kPurposeMac = 3;

bool offers_pkcs12_kdf(const Place& place) {
  KdfPtr kdf(EVP_KDF_fetch(place.context, "PKCS12KDF", place.properties));
  return kdf != nullptr;
}

// UTF-16 big-endian with a zero at the end (BMPString); nothing for an absent passphrase.
SecretBytes to_bmp(ByteView passphrase) {
  if (passphrase.data() == nullptr) return {};
  uint8_t* wide = nullptr;
  int length = 0;
  bool ok = OPENSSL_utf82uni(reinterpret_cast<const char*>(passphrase.data()), static_cast<int>(passphrase.size()),
                             &wide, &length) != nullptr;
  require_openssl(ok && length >= 0, "encoding a passphrase");
  SecretBytes bytes(wide, wide + length);
  OPENSSL_clear_free(wide, static_cast<size_t>(length));
  return bytes;
}

// Appends `bytes`, repeated up to a multiple of `block`.
void append_repeated(SecretBytes& to, ByteView bytes, size_t block) {
  size_t length = (bytes.size() + block - 1) / block * block;
  for (size_t i = 0; i < length; i++) to.push_back(bytes.data()[i % bytes.size()]);
}

// The key is as long as the hash, which the first block of B.2 gives.
bool derive(const EVP_MD* digest, const Pkcs12MacOptions& options, ByteView passphrase, SecretBytes& key) {
  size_t block = static_cast<size_t>(EVP_MD_get_block_size(digest));
  SecretBytes input(block, kPurposeMac);
  append_repeated(input, options.salt, block);
  append_repeated(input, view(to_bmp(passphrase)), block);
  DigestCtxPtr context(EVP_MD_CTX_new());
  if (context == nullptr) return false;
  for (uint64_t round = 0; round < options.iterations; round++) {
    ByteView from = round == 0 ? view(input) : view(key);
    if (EVP_DigestInit_ex2(context.get(), digest, nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), from.data(), from.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), key.data(), nullptr) != 1) {
      return false;
    }
  }
  return true;
}

}  // namespace

size_t pkcs12_mac(const Place& place, const Pkcs12MacOptions& options, ByteView passphrase, ByteView content,
                  uint8_t* out) {
  DigestPtr digest(EVP_MD_fetch(place.context, options.digest, place.properties));
  if (digest == nullptr || !offers_pkcs12_kdf(place)) return 0;
  SecretBytes key(static_cast<size_t>(EVP_MD_get_size(digest.get())));
  size_t length = 0;
  bool ok = derive(digest.get(), options, passphrase, key) &&
            EVP_Q_mac(place.context, "HMAC", place.properties, options.digest, nullptr, key.data(), key.size(),
                      content.data(), content.size(), out, EVP_MAX_MD_SIZE, &length) != nullptr;
  return ok ? length : 0;
}

}  // namespace callseal
