// The crypto module, loaded as native/core/module.cc loads it: a private library context with the FIPS provider and
// base.
#pragma once

#include <openssl/evp.h>

struct module {
  OSSL_LIB_CTX* context;
  const char* properties;  // for every fetch
};

// From the environment: CALLSEAL_BENCH_MODULE is the path of fips.so, CALLSEAL_BENCH_MODULE_CONFIG the `key = value`
// lines of its section. Without a path: OpenSSL's default provider, as CALLSEAL_FIPS=off has it.
struct module load_module(void);

// Ends the program with OpenSSL's own errors unless `ok`.
void require(int ok, const char* what);

// The RSA key in a PEM file (a private key when `private_key`, else a public key), held by the module.
EVP_PKEY* read_key(struct module module, const char* path, int private_key);

// A context for repeated RSA-OAEP operations with SHA-256, as the format has it, in one direction.
EVP_PKEY_CTX* oaep_context(struct module module, EVP_PKEY* key, int private_operation);
