#include "isolation.h"

#include <dlfcn.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "error.h"

namespace callseal {
namespace {

using MemoryFunctionsGetter = void (*)(CRYPTO_malloc_fn*, CRYPTO_realloc_fn*, CRYPTO_free_fn*);

std::string file_of(const void* address) {
  Dl_info info{};
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return "unknown";
  return info.dli_fname;
}

// Our reference is resolved in our own scope; this one in libcrypto's, whatever ours is.
MemoryFunctionsGetter libcrypto_own_getter() {
  void* handle = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_NOLOAD);
  if (handle == nullptr) {
    throw Error(Code::kNotIsolated,
                "the system's libcrypto.so.3 is not loaded; install OpenSSL 3 (Debian: libssl3, RHEL: openssl-libs)");
  }
  void* symbol = dlsym(handle, "CRYPTO_get_mem_functions");
  dlclose(handle);
  if (symbol == nullptr) throw Error(Code::kNotIsolated, "libcrypto.so.3 has no CRYPTO_get_mem_functions");
  return reinterpret_cast<MemoryFunctionsGetter>(symbol);
}

}  // namespace

Isolation prove_isolation() {
  MemoryFunctionsGetter getter = libcrypto_own_getter();
  CRYPTO_malloc_fn allocate = nullptr;
  CRYPTO_realloc_fn reallocate = nullptr;
  CRYPTO_free_fn release = nullptr;
  getter(&allocate, &reallocate, &release);

  Isolation found;
  found.libcrypto_path = file_of(reinterpret_cast<const void*>(getter));
  found.addon_resolves_to = file_of(reinterpret_cast<const void*>(&EVP_EncryptUpdate));
  found.libcrypto_resolves_to = file_of(reinterpret_cast<const void*>(allocate));

  if (found.addon_resolves_to != found.libcrypto_path) {
    throw Error(
        Code::kNotIsolated,
        "callseal's calls to OpenSSL go to " + found.addon_resolves_to + " instead of " + found.libcrypto_path +
            "; load it through the package (import 'callseal'), which binds it to the system's library, never by "
            "require() of the .node file");
  }
  if (found.libcrypto_resolves_to != found.libcrypto_path) {
    throw Error(Code::kNotIsolated, "the internal calls of " + found.libcrypto_path + " go to " +
                                        found.libcrypto_resolves_to +
                                        " because another addon loaded libcrypto first; import callseal before that "
                                        "addon, or use it in another process");
  }
  return found;
}

void* load_isolated(const std::string& path) {
  // Not RTLD_DEFAULT: bound deep, we would be shown our own libcrypto.
  void* program = dlopen(nullptr, RTLD_NOW);
  const void* seen_first = dlsym(program, "CRYPTO_get_mem_functions");
  dlclose(program);
  // AddressSanitizer refuses RTLD_DEEPBIND; a program without an OpenSSL of its own, such as the core tests, needs
  // none.
  const bool alone = seen_first == nullptr || seen_first == reinterpret_cast<const void*>(libcrypto_own_getter());
  return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | (alone ? 0 : RTLD_DEEPBIND));
}

}  // namespace callseal
