#include "module.h"

#include <openssl/conf.h>
#include <openssl/crypto.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "error.h"
#include "isolation.h"

namespace callseal {
namespace {

using ConfPtr = OpensslPtr<CONF, NCONF_free>;

std::mutex& instance_mutex() {
  static std::mutex mutex;
  return mutex;
}

// Set once, under the mutex; read without it, as every segment does.
std::atomic<Module*>& instance() {
  static std::atomic<Module*> module{nullptr};
  return module;
}

// As isalnum is in the C locale, whatever locale the process has.
bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// OpenSSL's configuration syntax gives $, #, quotes and backslashes a meaning; a backslash takes it away.
std::string escape_config_value(const std::string& value) {
  std::string escaped;
  for (char c : value) {
    if (static_cast<unsigned char>(c) < 0x20) {
      throw Error(Code::kFipsUnavailable, "the path of the FIPS provider contains a control character");
    }
    if (!is_letter_or_digit(c) && c != '/' && c != '.' && c != '_' && c != '-') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string provider_config(const ModuleOptions& options) {
  return "openssl_conf = init\n[init]\nproviders = providers\n[providers]\nfips = fips_section\nbase = base_section\n"
         "[base_section]\nactivate = 1\n[fips_section]\nmodule = " +
         escape_config_value(options.module_path) + "\nactivate = 1\n" + options.module_config + "\n";
}

void load_config(OSSL_LIB_CTX* context, const std::string& text) {
  BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  ConfPtr config(NCONF_new_ex(context, nullptr));
  require_openssl(bio != nullptr && config != nullptr, "allocating a configuration");
  long line = 0;
  if (NCONF_load_bio(config.get(), bio.get(), &line) != 1) {
    throw Error::openssl(Code::kFipsUnavailable,
                         "line " + std::to_string(line) + " of the FIPS provider's configuration cannot be read");
  }
  // Returns 1 even when the provider did not load; the caller looks for itself.
  CONF_modules_load(config.get(), nullptr, 0);
}

template <typename T>
T required(T object, const char* name) {
  if (object == nullptr) {
    throw Error::openssl(Code::kFipsUnavailable, std::string("the crypto module does not offer ") + name);
  }
  return object;
}

}  // namespace

const Module& Module::initialise(const ModuleOptions& options) {
  std::lock_guard<std::mutex> lock(instance_mutex());
  if (Module* existing = instance().load()) {
    const ModuleOptions& now = existing->options_;
    if (now.mode != options.mode || now.module_path != options.module_path) {
      throw Error(Code::kInvalidArgument, "this process already runs another crypto module (" +
                                              (now.mode == FipsMode::kOff ? std::string("FIPS off") : now.module_path) +
                                              "); one process has one module");
    }
    return *existing;
  }
  prove_isolation();
  Module* created = new Module(options);  // never deleted: see the top of module.h
  instance().store(created);
  return *created;
}

const Module& Module::get() {
  const Module* existing = instance().load(std::memory_order_acquire);
  if (existing == nullptr) throw Error(Code::kInvalidArgument, "the crypto module has not been initialised");
  return *existing;
}

Module::Module(ModuleOptions options) : options_(std::move(options)), context_(OSSL_LIB_CTX_new()) {
  require_openssl(context_ != nullptr, "creating a library context");
  if (options_.mode == FipsMode::kRequired) {
    load_fips();
  } else {
    load_default();
  }
  fetch_all();
}

void Module::load_fips() {
  load_config(context_.get(), provider_config(options_));
  if (OSSL_PROVIDER_available(context_.get(), "fips") != 1 || OSSL_PROVIDER_available(context_.get(), "base") != 1) {
    throw Error::openssl(
        Code::kFipsUnavailable,
        "the FIPS provider " + options_.module_path +
            " does not load (wrong or missing integrity value, a changed file, a failed self-test, or the "
            "same file already in use by Node's own OpenSSL); run `callseal fips install`, or give this "
            "process its own copy of the module with CALLSEAL_FIPS_DIR");
  }
  provider_.reset(OSSL_PROVIDER_load(context_.get(), "fips"));
  base_.reset(OSSL_PROVIDER_load(context_.get(), "base"));
  require_openssl(provider_ != nullptr && base_ != nullptr, "referencing the providers");
  require_openssl(EVP_set_default_properties(context_.get(), "fips=yes") == 1, "setting fips=yes");
}

void Module::load_default() {
  provider_.reset(OSSL_PROVIDER_load(context_.get(), "default"));
  require_openssl(provider_ != nullptr, "loading the default provider");
}

void Module::fetch_all() {
  OSSL_LIB_CTX* context = context_.get();
  aes256_gcm_.reset(required(EVP_CIPHER_fetch(context, "AES-256-GCM", properties()), "AES-256-GCM"));
  aes256_wrap_pad_.reset(required(EVP_CIPHER_fetch(context, "AES-256-WRAP-PAD", properties()), "AES-256-KWP"));
  hkdf_.reset(required(EVP_KDF_fetch(context, "HKDF", properties()), "HKDF"));
  kbkdf_.reset(required(EVP_KDF_fetch(context, "KBKDF", properties()), "KBKDF"));
  hmac_.reset(required(EVP_MAC_fetch(context, "HMAC", properties()), "HMAC"));
  sha256_.reset(required(EVP_MD_fetch(context, "SHA2-256", properties()), "SHA-256"));
}

CipherPtr Module::fetch_cipher(const char* name) const {
  CipherPtr cipher(EVP_CIPHER_fetch(context_.get(), name, properties()));
  if (cipher == nullptr && options_.mode == FipsMode::kRequired) {
    cipher.reset(EVP_CIPHER_fetch(context_.get(), name, "provider=fips,-fips"));
  }
  if (cipher == nullptr) {
    throw Error::openssl(Code::kNotApproved, std::string("the crypto module does not offer ") + name);
  }
  take_openssl_errors();
  return cipher;
}

OSSL_LIB_CTX* Module::decoding_context(bool with_legacy) const {
  static std::mutex mutex;
  static OSSL_LIB_CTX* contexts[2] = {nullptr, nullptr};
  std::lock_guard<std::mutex> lock(mutex);
  OSSL_LIB_CTX*& slot = contexts[with_legacy ? 1 : 0];
  if (slot != nullptr) return slot;
  LibCtxPtr context(OSSL_LIB_CTX_new());
  require_openssl(context != nullptr && OSSL_PROVIDER_load(context.get(), "default") != nullptr,
                  "loading the default provider to decode a key file");
  if (with_legacy) {
    // The system's own, whatever OPENSSL_MODULES says. Loaded for the life of the process, like the context.
    if (const char* folder = OPENSSL_info(OPENSSL_INFO_MODULES_DIR)) {
      // OpenSSL's own loader then finds it there, or complains that there is none.
      load_isolated(std::string(folder) + "/legacy.so");
      OSSL_PROVIDER_set_default_search_path(context.get(), folder);
    }
    OSSL_PROVIDER_load(context.get(), "legacy");
    take_openssl_errors();
  }
  slot = context.release();
  return slot;
}

}  // namespace callseal
