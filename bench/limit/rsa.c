// RSA-OAEP operations a second with a key from a PEM file, contexts kept, on any number of threads: the limit of
// opening (private) and of addressing (public) call files.
//
//   rsa --key PEM --operation private|public --threads 1 --milliseconds 500
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "limit.h"
#include "module.h"

struct job {
  struct module module;
  EVP_PKEY* key;
  int private_operation;
  double seconds;
  unsigned char wrapped[1024];
  size_t wrapped_length;
  _Atomic uint64_t operations;
};

static void wrap(EVP_PKEY_CTX* context, unsigned char* out, size_t* length) {
  static const unsigned char content_key[32] = {7};
  *length = 1024;
  require(EVP_PKEY_encrypt(context, out, length, content_key, sizeof content_key), "RSA-OAEP encryption");
}

static void unwrap(EVP_PKEY_CTX* context, const struct job* job) {
  unsigned char key[1024];
  size_t length = sizeof key;
  require(EVP_PKEY_decrypt(context, key, &length, job->wrapped, job->wrapped_length), "RSA-OAEP decryption");
}

static void work(unsigned thread, void* argument) {
  (void)thread;
  struct job* job = argument;
  EVP_PKEY_CTX* context = oaep_context(job->module, job->key, job->private_operation);
  unsigned char out[1024];
  size_t length = 0;
  uint64_t operations = 0;
  double end = now() + job->seconds;
  do {
    if (job->private_operation) {
      unwrap(context, job);
    } else {
      wrap(context, out, &length);
    }
    ++operations;
  } while (now() < end);
  EVP_PKEY_CTX_free(context);
  atomic_fetch_add(&job->operations, operations);
}

int main(int argc, char** argv) {
  const char* operation = text_option(argc, argv, "operation", "private");
  struct job job = {.module = load_module(), .private_operation = strcmp(operation, "private") == 0};
  job.key = read_key(job.module, text_option(argc, argv, "key", NULL), job.private_operation);
  unsigned threads = (unsigned)number_option(argc, argv, "threads", "1");
  job.seconds = (double)number_option(argc, argv, "milliseconds", "500") / 1000;

  EVP_PKEY_CTX* context = oaep_context(job.module, job.key, 0);
  wrap(context, job.wrapped, &job.wrapped_length);
  EVP_PKEY_CTX_free(context);

  double cpu = cpu_now();
  double seconds = run_threads(threads, work, &job);
  printf(
      "{\"program\":\"rsa\",\"operation\":\"%s\",\"bits\":%d,\"threads\":%u,\"operations\":%llu,\"seconds\":%.9f,"
      "\"cpuSeconds\":%.6f}\n",
      operation, EVP_PKEY_get_bits(job.key), threads, (unsigned long long)job.operations, seconds, cpu_now() - cpu);
  return 0;
}
