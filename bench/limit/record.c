// Protected records in a bare loop: the limit of the key hierarchy's batch forms. Per record, as docs/keys.md has it,
// one encryption (AES-256-GCM with an IV made inside the module, or 3DES-CBC with a random IV and an HMAC) and one HMAC
// over entity and record; or their verification and the decryption. Contexts are kept.
//
//   record --cipher aes|3des --hash sha256|sha1 --operation protect|unprotect --bytes 1024 --count 1000 --rounds 5
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "module.h"

enum { kHeader = 46, kEntity = 64, kTag = 16, kBlock = 8, kGcmIv = 12, kMaxMac = 32 };

struct job {
  struct module module;
  EVP_CIPHER* cipher;
  EVP_CIPHER_CTX* encryption;
  EVP_CIPHER_CTX* decryption;
  EVP_MAC_CTX* inner;
  EVP_MAC_CTX* binding;
  int gcm;
  size_t iv_length;
  size_t mac_length;
  size_t bytes;
  size_t sealed;  // header, IV, ciphertext, inner tag
  size_t count;
  unsigned char* plaintext;
  unsigned char* records;
};

// 24 bytes of it with odd parity are a 3DES key of three distinct keys.
static const unsigned char kKey[32] = {1,  2,  4,  7,  8,  11, 13, 14, 16, 19, 21, 22, 25, 26, 28, 31,
                                       32, 35, 37, 38, 41, 42, 44, 47, 49, 50, 52, 55, 56, 59, 61, 62};
static const unsigned char kHeaderBytes[kHeader] = {'C', 'S', 'R', 'D', 1};
static const unsigned char kEntityBytes[kEntity] = {9};

static EVP_MAC_CTX* hmac(struct module module, const char* digest) {
  EVP_MAC* mac = EVP_MAC_fetch(module.context, "HMAC", module.properties);
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
  OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char*)digest, 0),
                             OSSL_PARAM_construct_end()};
  require(context != NULL && EVP_MAC_init(context, kKey, sizeof kKey, parameters) == 1, "preparing HMAC");
  return context;
}

static void mac(EVP_MAC_CTX* context, const unsigned char* first, size_t first_length, const unsigned char* second,
                size_t second_length, unsigned char* out) {
  size_t length = 0;
  int ok = EVP_MAC_init(context, NULL, 0, NULL) == 1 && EVP_MAC_update(context, first, first_length) == 1 &&
           (second_length == 0 || EVP_MAC_update(context, second, second_length) == 1) &&
           EVP_MAC_final(context, out, &length, kMaxMac) == 1;
  require(ok, "HMAC");
}

static void seal_gcm(const struct job* job, const unsigned char* plaintext, unsigned char* record) {
  unsigned char* text = record + kHeader + kGcmIv;
  EVP_CIPHER_CTX* context = job->encryption;
  int length = 0;
  int ok = EVP_CIPHER_CTX_reset(context) == 1 && EVP_EncryptInit_ex2(context, job->cipher, kKey, NULL, NULL) == 1 &&
           EVP_EncryptUpdate(context, NULL, &length, record, kHeader) == 1 &&
           EVP_EncryptUpdate(context, text, &length, plaintext, (int)job->bytes) == 1 &&
           EVP_EncryptFinal_ex(context, text + job->bytes, &length) == 1 &&
           EVP_CIPHER_CTX_get_updated_iv(context, record + kHeader, kGcmIv) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTag, text + job->bytes) == 1;
  require(ok, "AES-256-GCM");
}

static void open_gcm(const struct job* job, unsigned char* record, unsigned char* plaintext) {
  unsigned char* text = record + kHeader + kGcmIv;
  EVP_CIPHER_CTX* context = job->decryption;
  int length = 0;
  int ok = EVP_DecryptInit_ex2(context, NULL, NULL, record + kHeader, NULL) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTag, text + job->bytes) == 1 &&
           EVP_DecryptUpdate(context, NULL, &length, record, kHeader) == 1 &&
           EVP_DecryptUpdate(context, plaintext, &length, text, (int)job->bytes) == 1 &&
           EVP_DecryptFinal_ex(context, plaintext + job->bytes, &length) == 1;
  require(ok, "AES-256-GCM");
}

static void seal_triple_des(const struct job* job, const unsigned char* plaintext, unsigned char* record) {
  unsigned char* iv = record + kHeader;
  int updated = 0;
  int finished = 0;
  int ok = RAND_bytes_ex(job->module.context, iv, kBlock, 256) == 1 &&
           EVP_EncryptInit_ex2(job->encryption, NULL, NULL, iv, NULL) == 1 &&
           EVP_EncryptUpdate(job->encryption, iv + kBlock, &updated, plaintext, (int)job->bytes) == 1 &&
           EVP_EncryptFinal_ex(job->encryption, iv + kBlock + updated, &finished) == 1;
  require(ok, "3DES");
  unsigned char tag[kMaxMac];
  mac(job->inner, record, job->sealed - kTag, NULL, 0, tag);
  memcpy(record + job->sealed - kTag, tag, kTag);
}

static void open_triple_des(const struct job* job, const unsigned char* record, unsigned char* plaintext) {
  unsigned char tag[kMaxMac];
  mac(job->inner, record, job->sealed - kTag, NULL, 0, tag);
  require(CRYPTO_memcmp(tag, record + job->sealed - kTag, kTag) == 0, "verifying the inner tag");
  const unsigned char* iv = record + kHeader;
  int updated = 0;
  int finished = 0;
  int ok = EVP_DecryptInit_ex2(job->decryption, NULL, NULL, iv, NULL) == 1 &&
           EVP_DecryptUpdate(job->decryption, plaintext, &updated, iv + kBlock,
                             (int)(job->sealed - kHeader - kBlock - kTag)) == 1 &&
           EVP_DecryptFinal_ex(job->decryption, plaintext + updated, &finished) == 1;
  require(ok, "3DES");
}

static void protect_all(struct job* job) {
  for (size_t i = 0; i < job->count; ++i) {
    unsigned char* record = job->records + i * (job->sealed + job->mac_length);
    const unsigned char* plaintext = job->plaintext + i * job->bytes;
    memcpy(record, kHeaderBytes, kHeader);
    if (job->gcm) {
      seal_gcm(job, plaintext, record);
    } else {
      seal_triple_des(job, plaintext, record);
    }
    mac(job->binding, kEntityBytes, kEntity, record, job->sealed, record + job->sealed);
  }
}

static void unprotect_all(struct job* job) {
  for (size_t i = 0; i < job->count; ++i) {
    unsigned char* record = job->records + i * (job->sealed + job->mac_length);
    unsigned char* plaintext = job->plaintext + i * job->bytes;
    unsigned char tag[kMaxMac];
    mac(job->binding, kEntityBytes, kEntity, record, job->sealed, tag);
    require(CRYPTO_memcmp(tag, record + job->sealed, job->mac_length) == 0, "verifying the binding tag");
    if (job->gcm) {
      open_gcm(job, record, plaintext);
    } else {
      open_triple_des(job, record, plaintext);
    }
  }
}

static EVP_CIPHER* fetch_cipher(const struct job* job) {
  const char* name = job->gcm ? "AES-256-GCM" : "DES-EDE3-CBC";
  EVP_CIPHER* cipher = EVP_CIPHER_fetch(job->module.context, name, job->module.properties);
  // Modules that no longer count 3DES as approved still offer it so.
  if (cipher == NULL) cipher = EVP_CIPHER_fetch(job->module.context, name, "provider=fips,-fips");
  require(cipher != NULL, name);
  return cipher;
}

static void prepare(struct job* job, const char* digest) {
  job->cipher = fetch_cipher(job);
  job->encryption = EVP_CIPHER_CTX_new();
  job->decryption = EVP_CIPHER_CTX_new();
  require(EVP_EncryptInit_ex2(job->encryption, job->cipher, kKey, NULL, NULL), "preparing encryption");
  require(EVP_DecryptInit_ex2(job->decryption, job->cipher, kKey, NULL, NULL), "preparing decryption");
  job->inner = hmac(job->module, digest);
  job->binding = hmac(job->module, digest);
  size_t text = job->gcm ? job->bytes : (job->bytes / kBlock + 1) * kBlock;
  job->sealed = kHeader + (job->gcm ? kGcmIv : kBlock) + text + kTag;
  job->plaintext = malloc(job->count * job->bytes + kBlock);
  job->records = malloc(job->count * (job->sealed + job->mac_length));
  if (job->plaintext == NULL || job->records == NULL) fail("not enough memory");
  // Touched, so that no page is made while time is taken.
  memset(job->plaintext, 0x5a, job->count * job->bytes);
  memset(job->records, 0, job->count * (job->sealed + job->mac_length));
}

int main(int argc, char** argv) {
  const char* cipher = text_option(argc, argv, "cipher", "aes");
  const char* hash = text_option(argc, argv, "hash", "sha256");
  const char* operation = text_option(argc, argv, "operation", "protect");
  const int sha256 = strcmp(hash, "sha256") == 0;
  struct job job = {
      .module = load_module(),
      .gcm = strcmp(cipher, "aes") == 0,
      .mac_length = sha256 ? 32 : 20,
      .bytes = number_option(argc, argv, "bytes", "1024"),
      .count = number_option(argc, argv, "count", "1000"),
  };
  uint64_t rounds = number_option(argc, argv, "rounds", "5");
  if (job.bytes == 0 || job.count == 0) fail("there is something in every record, and at least one record");
  prepare(&job, sha256 ? "SHA2-256" : "SHA1");
  void (*work)(struct job*) = strcmp(operation, "protect") == 0 ? protect_all : unprotect_all;
  protect_all(&job);
  work(&job);
  printf(
      "{\"program\":\"record\",\"cipher\":\"%s\",\"hash\":\"%s\",\"operation\":\"%s\",\"bytes\":%zu,\"count\":%zu,"
      "\"seconds\":[",
      cipher, hash, operation, job.bytes, job.count);
  double cpu = cpu_now();
  for (uint64_t i = 0; i < rounds; ++i) {
    double started = now();
    work(&job);
    printf("%s%.9f", i == 0 ? "" : ",", now() - started);
  }
  printf("],\"cpuSeconds\":%.6f}\n", cpu_now() - cpu);
  return 0;
}
