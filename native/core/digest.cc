#include "digest.h"

#include <openssl/evp.h>

#include "error.h"
#include "module.h"

namespace callseal {

Sha256 sha256(ByteView bytes) {
  Sha256 digest{};
  unsigned int length = 0;
  require_openssl(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, Module::get().sha256(), nullptr) == 1,
                  "computing SHA-256");
  return digest;
}

}  // namespace callseal
