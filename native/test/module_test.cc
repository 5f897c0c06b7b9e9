#include "module.h"

#include <thread>

#include "error.h"
#include "module_from_environment.h"
#include "test.h"

namespace callseal::test {
namespace {

TEST(module_is_made_once_a_process) {
  const ModuleOptions options = options_from_environment();
  CHECK(&Module::initialise(options) == &Module::get());
  ModuleOptions other = options;
  other.mode = options.mode == FipsMode::kOff ? FipsMode::kRequired : FipsMode::kOff;
  Error error = CHECK_THROWS_CODE(Module::initialise(other), Code::kInvalidArgument);
  CHECK_CONTAINS(error.what(), options.mode == FipsMode::kOff ? "FIPS off" : options.module_path);
  other = options;
  other.module_path += ".other";
  CHECK_THROWS_CODE(Module::initialise(other), Code::kInvalidArgument);
  CHECK(&Module::initialise(options) == &Module::get());
}

TEST(module_is_the_same_for_all_threads) {
  const ModuleOptions options = options_from_environment();
  std::vector<const Module*> seen(4);
  std::vector<std::thread> threads;
  for (const Module*& slot : seen) threads.emplace_back([&slot, &options] { slot = &Module::initialise(options); });
  for (std::thread& thread : threads) thread.join();
  for (const Module* module : seen) CHECK(module == &Module::get());
}

TEST(module_status_is_evidence) {
  const ModuleOptions options = options_from_environment();
  ModuleStatus status = Module::get().status();
  CHECK(status.mode == options.mode);
  CHECK(status.provider_running);
  CHECK_CONTAINS(status.libcrypto_path, "libcrypto.so.3");
  CHECK_EQ(status.addon_resolves_to, status.libcrypto_path);
  CHECK_EQ(status.libcrypto_resolves_to, status.libcrypto_path);
  if (options.mode == FipsMode::kRequired) {
    CHECK(status.provider_self_test);
    CHECK_EQ(status.provider_path, options.module_path);
    CHECK_EQ(status.provider_sha256.size(), size_t{64});
  }
  CHECK(!status.algorithms.empty());
  for (const AlgorithmStatus& row : status.algorithms) {
    CHECK(row.provider.empty() || row.provider == (options.mode == FipsMode::kRequired ? "fips" : "default"));
    CHECK(row.indicator >= -1 && row.indicator <= 1);
  }
}

TEST(module_status_can_be_asked_by_several_threads) {
  std::vector<std::thread> threads;
  std::vector<int> bad(3, 0);
  for (int& count : bad) {
    threads.emplace_back([&count] {
      for (int i = 0; i < 3; ++i) {
        ModuleStatus status = Module::get().status();
        if (!status.provider_running) ++count;
        for (const AlgorithmStatus& row : status.algorithms) count += row.provider.empty() ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int count : bad) CHECK_EQ(count, 0);
}

TEST(module_fetches_its_own_algorithms_only) {
  const std::string expected = Module::get().mode() == FipsMode::kRequired ? "fips" : "default";
  for (const char* name : {"AES-256-CBC", "DES-EDE3-CBC"}) {
    CipherPtr cipher = Module::get().fetch_cipher(name);
    CHECK_EQ(std::string(OSSL_PROVIDER_get0_name(EVP_CIPHER_get0_provider(cipher.get()))), expected);
  }
  Error error = CHECK_THROWS_CODE(Module::get().fetch_cipher("RC4"), Code::kNotApproved);
  CHECK_CONTAINS(error.what(), "RC4");
  if (Module::get().mode() == FipsMode::kRequired) {
    CHECK_THROWS_CODE(Module::get().fetch_cipher("CHACHA20-POLY1305"), Code::kNotApproved);
  }
}

TEST(module_context_is_private) {
  CHECK(Module::get().context() != OSSL_LIB_CTX_get0_global_default());
  CHECK(Module::get().decoding_context(false) != Module::get().context());
  CHECK(Module::get().decoding_context(false) == Module::get().decoding_context(false));
  CHECK(Module::get().decoding_context(true) != Module::get().decoding_context(false));
  CHECK(OSSL_PROVIDER_available(Module::get().decoding_context(false), "legacy") == 0);
  if (Module::get().mode() == FipsMode::kRequired) {
    CHECK(OSSL_PROVIDER_available(Module::get().context(), "default") == 0);
  }
}

TEST(module_scoped_default_context_is_put_back) {
  OSSL_LIB_CTX* before = OSSL_LIB_CTX_set0_default(nullptr);
  {
    ScopedDefaultContext outer(Module::get().context());
    CHECK(OSSL_LIB_CTX_set0_default(nullptr) == Module::get().context());
    ScopedDefaultContext inner(Module::get().decoding_context(false));
    CHECK(OSSL_LIB_CTX_set0_default(nullptr) == Module::get().decoding_context(false));
  }
  CHECK(OSSL_LIB_CTX_set0_default(nullptr) == before);
}

}  // namespace
}  // namespace callseal::test
