#include "rsa_contexts.h"

#include "error.h"
#include "module.h"
#include "rsa_key.h"

namespace callseal {

PkeyCtxPtr OaepContexts::take(EVP_PKEY* key) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      PkeyCtxPtr context = std::move(idle_.back());
      idle_.pop_back();
      return context;
    }
  }
  const Module& module = Module::get();
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(module.context(), key, module.properties()));
  require_openssl(context != nullptr && initialise_(context.get()) == 1 && set_oaep_sha256(context.get()),
                  "preparing RSA-OAEP");
  return context;
}

void OaepContexts::give_back(PkeyCtxPtr context) {
  std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(context));
}

}  // namespace callseal
