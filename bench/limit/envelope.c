#include "envelope.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "limit.h"

enum {
  kPrelude = 48,
  kRecipientsHead = 8,
  kEntryBeforeWrap = 2 + 32 + 2,
  kMac = 32,
  kFloeHeader = 74,
  kFloeParameters = 10,
  kFloeIv = 32,
  kFloeTag = 42,
  kSegmentOverhead = 32,
  kGcmIv = 12,
  kGcmTag = 16,
  kKey = 32,
  kMessageKey = 48,
};

struct sealer {
  const struct algorithms* algorithms;
  EVP_PKEY_CTX* wraps[kMaxRecipients];
  EVP_KDF_CTX* kbkdf;
  EVP_KDF_CTX* hkdf;
  EVP_MAC_CTX* hmac;
  EVP_CIPHER_CTX* gcm;
};

static unsigned char* put(unsigned char* out, uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) out[i] = (unsigned char)(value >> (8 * (bytes - 1 - i)));
  return out + bytes;
}

static unsigned char* put_bytes(unsigned char* out, const void* bytes, size_t length) {
  memcpy(out, bytes, length);
  return out + length;
}

struct algorithms load_algorithms(void) {
  struct algorithms algorithms = {.module = load_module()};
  OSSL_LIB_CTX* context = algorithms.module.context;
  const char* properties = algorithms.module.properties;
  algorithms.gcm = EVP_CIPHER_fetch(context, "AES-256-GCM", properties);
  algorithms.hkdf = EVP_KDF_fetch(context, "HKDF", properties);
  algorithms.kbkdf = EVP_KDF_fetch(context, "KBKDF", properties);
  algorithms.hmac = EVP_MAC_fetch(context, "HMAC", properties);
  require(algorithms.gcm != NULL && algorithms.hkdf != NULL && algorithms.kbkdf != NULL && algorithms.hmac != NULL,
          "fetching the algorithms");
  algorithms.header_bytes = kPrelude + kRecipientsHead + kMac;
  return algorithms;
}

void add_recipient(struct algorithms* algorithms, const char* pem_path) {
  if (algorithms->recipient_count == kMaxRecipients) fail("at most %d recipients", kMaxRecipients);
  struct recipient* recipient = &algorithms->recipients[algorithms->recipient_count++];
  recipient->key = read_key(algorithms->module, pem_path, 0);
  recipient->modulus_bytes = (size_t)EVP_PKEY_get_size(recipient->key);
  unsigned char* der = NULL;
  int length = i2d_PUBKEY(recipient->key, &der);
  require(length > 0, "encoding a public key");
  require(EVP_Q_digest(algorithms->module.context, "SHA2-256", algorithms->module.properties, der, (size_t)length,
                       recipient->id, NULL),
          "SHA-256");
  OPENSSL_free(der);
  algorithms->header_bytes += kEntryBeforeWrap + recipient->modulus_bytes + 1;
}

struct sealer* new_sealer(const struct algorithms* algorithms) {
  struct sealer* sealer = calloc(1, sizeof *sealer);
  if (sealer == NULL) fail("not enough memory");
  sealer->algorithms = algorithms;
  for (size_t i = 0; i < algorithms->recipient_count; ++i) {
    sealer->wraps[i] = oaep_context(algorithms->module, algorithms->recipients[i].key, 0);
  }
  sealer->kbkdf = EVP_KDF_CTX_new(algorithms->kbkdf);
  sealer->hkdf = EVP_KDF_CTX_new(algorithms->hkdf);
  sealer->hmac = EVP_MAC_CTX_new(algorithms->hmac);
  sealer->gcm = EVP_CIPHER_CTX_new();
  require(sealer->kbkdf != NULL && sealer->hkdf != NULL && sealer->hmac != NULL && sealer->gcm != NULL,
          "allocating contexts");
  return sealer;
}

size_t sealed_length(const struct algorithms* algorithms, size_t plaintext_length) {
  if (plaintext_length > kSegmentLength - kSegmentOverhead) fail("a body of one segment holds less than that");
  return algorithms->header_bytes + kFloeHeader + kSegmentOverhead + plaintext_length;
}

static void derive(struct sealer* sealer, const unsigned char* content_key, const char* label,
                   const unsigned char* prelude, unsigned char* out) {
  int on = 1;
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MODE, (char*)"counter", 0),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, (char*)"HMAC", 0),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char*)"SHA2-256", 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void*)content_key, kKey),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void*)label, strlen(label)),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void*)prelude, kPrelude),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_KBKDF_USE_L, &on),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_KBKDF_USE_SEPARATOR, &on),
      OSSL_PARAM_construct_end(),
  };
  EVP_KDF_CTX_reset(sealer->kbkdf);
  require(EVP_KDF_derive(sealer->kbkdf, out, kKey, params), "KBKDF");
}

static void expand(struct sealer* sealer, const unsigned char* key, size_t key_length, const unsigned char* header,
                   const char* purpose, const unsigned char* suffix, size_t suffix_length, const unsigned char* prelude,
                   unsigned char* out, size_t length) {
  unsigned char info[kFloeParameters + kFloeIv + 16 + 8 + kPrelude];
  unsigned char* end = put_bytes(info, header, kFloeParameters + kFloeIv);
  end = put_bytes(end, purpose, strlen(purpose));
  if (suffix_length > 0) end = put_bytes(end, suffix, suffix_length);
  end = put_bytes(end, prelude, kPrelude);
  int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char*)"SHA2-384", 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void*)key, key_length),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, (size_t)(end - info)),
      OSSL_PARAM_construct_end(),
  };
  EVP_KDF_CTX_reset(sealer->hkdf);
  require(EVP_KDF_derive(sealer->hkdf, out, length, params), "HKDF");
}

static void put_prelude(const struct algorithms* algorithms, unsigned char* out) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  out = put_bytes(out, "CALLSEAL", 8);
  out = put(out, 1, 2);
  out = put(out, 1, 2);
  out = put(out, 0, 4);
  require(RAND_bytes_ex(algorithms->module.context, out, 16, 256), "random bytes");
  out = put(out + 16, (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000, 8);
  put(out, 0, 8);
}

static unsigned char* put_recipients(struct sealer* sealer, const unsigned char* content_key, unsigned char* out) {
  const struct algorithms* algorithms = sealer->algorithms;
  out = put(out, algorithms->header_bytes - kPrelude - kRecipientsHead - kMac, 4);
  out = put(out, algorithms->recipient_count, 2);
  out = put(out, 0, 2);
  for (size_t i = 0; i < algorithms->recipient_count; ++i) {
    const struct recipient* recipient = &algorithms->recipients[i];
    out = put(out, 1, 2);
    out = put_bytes(out, recipient->id, sizeof recipient->id);
    out = put(out, recipient->modulus_bytes, 2);
    size_t length = recipient->modulus_bytes;
    require(EVP_PKEY_encrypt(sealer->wraps[i], out, &length, content_key, kKey), "RSA-OAEP");
    out = put(out + length, 0, 1);
  }
  return out;
}

static void put_mac(struct sealer* sealer, const unsigned char* key, const unsigned char* from, unsigned char* out) {
  OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char*)"SHA2-256", 0),
      OSSL_PARAM_construct_end(),
  };
  size_t length = 0;
  require(EVP_MAC_init(sealer->hmac, key, kKey, params), "HMAC");
  require(EVP_MAC_update(sealer->hmac, from, (size_t)(out - from)), "HMAC");
  require(EVP_MAC_final(sealer->hmac, out, &length, kMac), "HMAC");
}

static void put_segment(struct sealer* sealer, const unsigned char* key, const unsigned char* plaintext, size_t size,
                        unsigned char* out) {
  const unsigned char aad[9] = {0, 0, 0, 0, 0, 0, 0, 0, 1};  // segment 0, the last
  EVP_CIPHER_CTX* context = sealer->gcm;
  unsigned char* iv = put(out, size + kSegmentOverhead, 4);
  unsigned char* text = iv + kGcmIv;
  int length = 0;
  int ok = EVP_CIPHER_CTX_reset(context) == 1 &&
           EVP_EncryptInit_ex2(context, sealer->algorithms->gcm, key, NULL, NULL) == 1 &&
           EVP_EncryptUpdate(context, NULL, &length, aad, sizeof aad) == 1 &&
           EVP_CIPHER_CTX_get_updated_iv(context, iv, kGcmIv) == 1 &&
           (size == 0 || EVP_EncryptUpdate(context, text, &length, plaintext, (int)size) == 1) &&
           EVP_EncryptFinal_ex(context, text + size, &length) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kGcmTag, text + size) == 1;
  require(ok, "AES-256-GCM");
}

static void put_body(struct sealer* sealer, const unsigned char* body_key, const unsigned char* prelude,
                     const unsigned char* plaintext, size_t length, unsigned char* header) {
  unsigned char message_key[kMessageKey];
  unsigned char data_key[kKey];
  const unsigned char epoch[8] = {0};
  unsigned char* iv = put(put(put(header, 0, 2), kSegmentLength, 4), kFloeIv, 4);
  require(RAND_bytes_ex(sealer->algorithms->module.context, iv, kFloeIv, 256), "random bytes");
  expand(sealer, body_key, kKey, header, "HEADER_TAG:", NULL, 0, prelude, header + kFloeTag, kFloeHeader - kFloeTag);
  expand(sealer, body_key, kKey, header, "MESSAGE_KEY:", NULL, 0, prelude, message_key, sizeof message_key);
  expand(sealer, message_key, sizeof message_key, header, "DEK:", epoch, sizeof epoch, prelude, data_key,
         sizeof data_key);
  put_segment(sealer, data_key, plaintext, length, header + kFloeHeader);
  OPENSSL_cleanse(message_key, sizeof message_key);
  OPENSSL_cleanse(data_key, sizeof data_key);
}

void seal(struct sealer* sealer, const unsigned char* plaintext, size_t length, unsigned char* out) {
  unsigned char content_key[kKey];
  unsigned char mac_key[kKey];
  unsigned char body_key[kKey];
  require(RAND_priv_bytes_ex(sealer->algorithms->module.context, content_key, kKey, 256), "random bytes");
  put_prelude(sealer->algorithms, out);
  unsigned char* tag = put_recipients(sealer, content_key, out + kPrelude);
  derive(sealer, content_key, "callseal v1 recipients", out, mac_key);
  derive(sealer, content_key, "callseal v1 body", out, body_key);
  put_mac(sealer, mac_key, out, tag);
  put_body(sealer, body_key, out, plaintext, length, tag + kMac);
  OPENSSL_cleanse(content_key, sizeof content_key);
  OPENSSL_cleanse(mac_key, sizeof mac_key);
  OPENSSL_cleanse(body_key, sizeof body_key);
}
