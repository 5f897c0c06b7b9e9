// Proof that this object, and libcrypto itself, use the system's libcrypto.
//
// The node executable contains an OpenSSL of its own and exports its symbols, so an addon's calls, and even libcrypto's
// calls to itself, may silently go there. Both are looked at before any other OpenSSL function is called.
#pragma once

#include <string>

namespace callseal {

struct Isolation {
  std::string addon_resolves_to;      // file that our EVP_EncryptUpdate is in
  std::string libcrypto_resolves_to;  // file that libcrypto's own CRYPTO_malloc is in
  std::string libcrypto_path;         // file of the libcrypto.so.3 that is loaded
};

// Throws kNotIsolated unless all three are the same file.
Isolation prove_isolation();

// Loads, for the life of the process, a library that links libcrypto itself (the legacy provider and PKCS#11 modules
// do, the FIPS provider does not), bound to the system's libcrypto as we are. A plain dlopen would bind it to the node
// executable's. Null when it cannot be loaded; dlerror() says why.
void* load_isolated(const std::string& path);

}  // namespace callseal
