// One call file in memory, exactly as docs/format.md has it, for bare public keys and a body of one segment: everything
// Callseal computes for a small file, with every context made once a thread.
#pragma once

#include <stddef.h>

#include "module.h"

enum { kMaxRecipients = 16, kSegmentLength = 262144 };

struct recipient {
  EVP_PKEY* key;
  unsigned char id[32];  // SHA-256 of the SubjectPublicKeyInfo
  size_t modulus_bytes;
};

// Shared by all threads, never changed.
struct algorithms {
  struct module module;
  EVP_CIPHER* gcm;
  EVP_KDF* hkdf;
  EVP_KDF* kbkdf;
  EVP_MAC* hmac;
  struct recipient recipients[kMaxRecipients];
  size_t recipient_count;
  size_t header_bytes;  // prelude, recipients, MAC
};

struct algorithms load_algorithms(void);
void add_recipient(struct algorithms* algorithms, const char* pem_path);

// One thread's contexts.
struct sealer;
struct sealer* new_sealer(const struct algorithms* algorithms);
// Bytes that `seal` writes for a plaintext of that length, which must fit one segment.
size_t sealed_length(const struct algorithms* algorithms, size_t plaintext_length);
void seal(struct sealer* sealer, const unsigned char* plaintext, size_t length, unsigned char* out);
