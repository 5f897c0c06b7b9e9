// AES-256-GCM over a buffer in segments, in a bare loop: the limit of FLOE. Every segment has its IV made inside the
// module, which needs the context reset and initialised anew, and nine bytes of associated data, as a FLOE segment has.
//
//   gcm --bytes 67108864 --segment 262144 --threads 1 --rounds 5
//
// `segment` counts the bytes of an encrypted segment, 32 of which are not ciphertext.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limit.h"
#include "module.h"

enum { kOverhead = 32, kIvLength = 12, kTagLength = 16, kMark = 4 };

struct job {
  EVP_CIPHER* cipher;
  size_t bytes;
  size_t segment;
  size_t segments;
  unsigned threads;
  unsigned char* plaintext;
  unsigned char* encrypted;
};

static const unsigned char kKey[32] = {1, 2, 3, 4, 5, 6, 7, 8};

static void encrypt_segment(const struct job* job, EVP_CIPHER_CTX* context, size_t index) {
  size_t step = job->segment - kOverhead;
  size_t offset = index * step;
  size_t size = job->bytes - offset < step ? job->bytes - offset : step;
  unsigned char* out = job->encrypted + index * job->segment;
  unsigned char aad[9] = {0};
  memcpy(aad, &index, sizeof index);
  int length = 0;
  int ok = EVP_CIPHER_CTX_reset(context) == 1 && EVP_EncryptInit_ex2(context, job->cipher, kKey, NULL, NULL) == 1 &&
           EVP_EncryptUpdate(context, NULL, &length, aad, sizeof aad) == 1 &&
           EVP_CIPHER_CTX_get_updated_iv(context, out + kMark, kIvLength) == 1 &&
           EVP_EncryptUpdate(context, out + kMark + kIvLength, &length, job->plaintext + offset, (int)size) == 1 &&
           EVP_EncryptFinal_ex(context, out + kMark + kIvLength + size, &length) == 1 &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagLength, out + kMark + kIvLength + size) == 1;
  require(ok, "AES-256-GCM");
}

static void encrypt_share(unsigned thread, void* argument) {
  const struct job* job = argument;
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  require(context != NULL, "allocating a cipher context");
  size_t end = job->segments * (thread + 1) / job->threads;
  for (size_t i = job->segments * thread / job->threads; i < end; ++i) encrypt_segment(job, context, i);
  EVP_CIPHER_CTX_free(context);
}

int main(int argc, char** argv) {
  struct module module = load_module();
  struct job job = {
      .cipher = EVP_CIPHER_fetch(module.context, "AES-256-GCM", module.properties),
      .bytes = number_option(argc, argv, "bytes", "67108864"),
      .segment = number_option(argc, argv, "segment", "262144"),
      .threads = (unsigned)number_option(argc, argv, "threads", "1"),
  };
  uint64_t rounds = number_option(argc, argv, "rounds", "5");
  require(job.cipher != NULL, "fetching AES-256-GCM");
  if (job.segment <= kOverhead || job.bytes == 0) fail("a segment has more than %d bytes", kOverhead);
  job.segments = (job.bytes - 1) / (job.segment - kOverhead) + 1;
  job.plaintext = malloc(job.bytes);
  job.encrypted = malloc(job.segments * job.segment);
  if (job.plaintext == NULL || job.encrypted == NULL) fail("not enough memory");
  // Touched, so that no page is made while time is taken.
  memset(job.plaintext, 0x5a, job.bytes);
  memset(job.encrypted, 0, job.segments * job.segment);

  run_threads(job.threads, encrypt_share, &job);
  printf("{\"program\":\"gcm\",\"bytes\":%zu,\"segment\":%zu,\"threads\":%u,\"seconds\":[", job.bytes, job.segment,
         job.threads);
  for (uint64_t i = 0; i < rounds; ++i) {
    printf("%s%.9f", i == 0 ? "" : ",", run_threads(job.threads, encrypt_share, &job));
  }
  printf("]}\n");
  return 0;
}
