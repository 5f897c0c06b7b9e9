#include "isolation.h"

#include <openssl/evp.h>

#include "test.h"

namespace callseal::test {
namespace {

// This program has no other OpenSSL, so both checks hold; test/isolation.test.ts breaks each of them inside node.
TEST(isolation_names_the_system_libcrypto) {
  Isolation found = prove_isolation();
  CHECK_CONTAINS(found.libcrypto_path, "libcrypto.so.3");
  CHECK_EQ(found.libcrypto_path[0], '/');
  CHECK_EQ(found.addon_resolves_to, found.libcrypto_path);
  CHECK_EQ(found.libcrypto_resolves_to, found.libcrypto_path);
}

TEST(isolation_load_of_a_missing_file_gives_nothing) {
  CHECK(load_isolated("/nonexistent/legacy.so") == nullptr);
}

}  // namespace
}  // namespace callseal::test
