// The process's crypto module: one private library context with the FIPS provider, and what it offers, fetched once.
//
// Lifetime: made by Module::initialise, never destroyed. Worker threads and pool jobs may still hold fetched objects
// when the process exits, and OpenSSL's own exit handlers run after ours; leaving it to the operating system is the
// only order that is always right.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "openssl_ptr.h"

namespace callseal {

enum class FipsMode { kRequired, kOff };

struct ModuleOptions {
  FipsMode mode = FipsMode::kRequired;
  std::string module_path;    // absolute path of fips.so; empty when mode is kOff
  std::string module_config;  // `key = value` lines of the provider's section; may be empty
};

// Where one operation comes from, and what the module itself says of it.
struct AlgorithmStatus {
  std::string name;
  std::string operation;
  std::string provider;  // empty: no provider of this context offers it
  int indicator = -1;    // 1 approved, 0 not approved, -1 the module has no indicator
};

struct ModuleStatus {
  FipsMode mode = FipsMode::kRequired;
  std::string addon_resolves_to;
  std::string libcrypto_resolves_to;
  std::string libcrypto_path;
  std::string libcrypto_version;
  std::string provider_name;
  std::string provider_version;
  std::string provider_build_info;
  std::string provider_path;
  std::string provider_sha256;
  bool provider_running = false;
  bool provider_self_test = false;
  std::vector<AlgorithmStatus> algorithms;
};

class Module {
 public:
  // Creates the process's module, or returns it when it exists with the same options (another thread). Throws
  // kNotIsolated, kFipsUnavailable, or kInvalidArgument when it exists with other options.
  static const Module& initialise(const ModuleOptions& options);
  // The existing module; kInvalidArgument before initialise.
  static const Module& get();

  FipsMode mode() const { return options_.mode; }
  // Context of all cryptography: fips + base, or default in mode kOff.
  OSSL_LIB_CTX* context() const { return context_.get(); }
  // Property query for every fetch: "fips=yes", or "" in mode kOff.
  const char* properties() const { return options_.mode == FipsMode::kRequired ? "fips=yes" : ""; }
  // A second private context (default provider, and legacy where it exists) that only ever decodes key files the module
  // cannot. Made on first use; `with_legacy` loads the legacy provider too. Thread-safe.
  OSSL_LIB_CTX* decoding_context(bool with_legacy) const;

  // Fetched once, shared by all threads (fetched objects are immutable). Never null.
  EVP_CIPHER* aes256_gcm() const { return aes256_gcm_.get(); }
  EVP_CIPHER* aes256_wrap_pad() const { return aes256_wrap_pad_.get(); }
  EVP_KDF* hkdf() const { return hkdf_.get(); }
  EVP_KDF* kbkdf() const { return kbkdf_.get(); }
  EVP_MAC* hmac() const { return hmac_.get(); }
  EVP_MD* sha256() const { return sha256_.get(); }

  // A cipher by name, 3DES with `provider=fips` where `fips=yes` has it not. kNotApproved when the module lacks it.
  CipherPtr fetch_cipher(const char* name) const;

  ModuleStatus status() const;

 private:
  explicit Module(ModuleOptions options);
  void load_fips();
  void load_default();
  void fetch_all();

  ModuleOptions options_;
  LibCtxPtr context_;
  ProviderPtr provider_;
  ProviderPtr base_;
  CipherPtr aes256_gcm_;
  CipherPtr aes256_wrap_pad_;
  KdfPtr hkdf_;
  KdfPtr kbkdf_;
  MacPtr hmac_;
  DigestPtr sha256_;
};

// Makes `context` the thread's default library context while it lives. OpenSSL 3.0's PEM, PBE and PKCS#12 decoders use
// the thread's default whatever context they were given; this keeps them inside ours.
class ScopedDefaultContext {
 public:
  explicit ScopedDefaultContext(OSSL_LIB_CTX* context) : previous_(OSSL_LIB_CTX_set0_default(context)) {}
  ~ScopedDefaultContext() { OSSL_LIB_CTX_set0_default(previous_); }
  ScopedDefaultContext(const ScopedDefaultContext&) = delete;
  ScopedDefaultContext& operator=(const ScopedDefaultContext&) = delete;

 private:
  OSSL_LIB_CTX* previous_;
};

}  // namespace callseal
