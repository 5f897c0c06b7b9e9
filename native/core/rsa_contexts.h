// OpenSSL contexts of one RSA key, kept between operations.
#pragma once

#include <mutex>
#include <vector>

#include "openssl_ptr.h"

namespace callseal {

// Contexts for OAEP in one direction, as many as there ever were operations at once: preparing one takes a tenth of a
// private operation, and longer than a public one. They belong to the key, so that none holds it when it is destroyed.
class OaepContexts {
 public:
  using Initialise = int (*)(EVP_PKEY_CTX*);

  // `initialise` is EVP_PKEY_encrypt_init or EVP_PKEY_decrypt_init.
  explicit OaepContexts(Initialise initialise) : initialise_(initialise) {}

  // A context for `key`, which is always the same. kCrypto when the module refuses it.
  PkeyCtxPtr take(EVP_PKEY* key);
  // Only one that is as it was: not when memory ran out in it.
  void give_back(PkeyCtxPtr context);

 private:
  const Initialise initialise_;
  std::mutex mutex_;
  std::vector<PkeyCtxPtr> idle_;
};

}  // namespace callseal
