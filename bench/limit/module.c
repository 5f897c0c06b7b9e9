#include "module.h"

#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

#include "limit.h"

void require(int ok, const char* what) {
  if (ok == 1) return;
  fprintf(stderr, "%s failed\n", what);
  ERR_print_errors_fp(stderr);
  exit(1);
}

static void load_fips(OSSL_LIB_CTX* context, const char* path) {
  const char* settings = getenv("CALLSEAL_BENCH_MODULE_CONFIG");
  BIO* bio = BIO_new(BIO_s_mem());
  CONF* config = NCONF_new_ex(context, NULL);
  require(bio != NULL && config != NULL, "allocating a configuration");
  BIO_printf(
      bio,
      "openssl_conf = init\n[init]\nproviders = providers\n[providers]\nfips = fips_section\nbase = base_section\n"
      "[base_section]\nactivate = 1\n[fips_section]\nmodule = %s\nactivate = 1\n%s\n",
      path, settings == NULL ? "" : settings);
  require(NCONF_load_bio(config, bio, NULL), "reading the module's configuration");
  CONF_modules_load(config, NULL, 0);
  // The call above returns 1 whatever happened.
  require(OSSL_PROVIDER_available(context, "fips"), "loading the FIPS provider");
  require(EVP_set_default_properties(context, "fips=yes"), "setting fips=yes");
  NCONF_free(config);
  BIO_free(bio);
}

struct module load_module(void) {
  struct module module = {.context = OSSL_LIB_CTX_new(), .properties = ""};
  require(module.context != NULL, "creating a library context");
  const char* path = getenv("CALLSEAL_BENCH_MODULE");
  if (path != NULL && *path != '\0') {
    load_fips(module.context, path);
    module.properties = "fips=yes";
  } else {
    require(OSSL_PROVIDER_load(module.context, "default") != NULL, "loading the default provider");
  }
  // OpenSSL 3.0's PEM decoders use the thread's default context.
  OSSL_LIB_CTX_set0_default(module.context);
  return module;
}

EVP_PKEY* read_key(struct module module, const char* path, int private_key) {
  BIO* bio = BIO_new_file(path, "r");
  require(bio != NULL, path);
  EVP_PKEY* key = private_key ? PEM_read_bio_PrivateKey_ex(bio, NULL, NULL, NULL, module.context, module.properties)
                              : PEM_read_bio_PUBKEY_ex(bio, NULL, NULL, NULL, module.context, module.properties);
  require(key != NULL, path);
  BIO_free(bio);
  return key;
}

EVP_PKEY_CTX* oaep_context(struct module module, EVP_PKEY* key, int private_operation) {
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_from_pkey(module.context, key, module.properties);
  require(context != NULL, "preparing RSA");
  require(private_operation ? EVP_PKEY_decrypt_init(context) : EVP_PKEY_encrypt_init(context), "preparing RSA");
  require(EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING), "choosing OAEP");
  require(EVP_PKEY_CTX_set_rsa_oaep_md_name(context, "SHA2-256", NULL), "choosing OAEP's digest");
  require(EVP_PKEY_CTX_set_rsa_mgf1_md_name(context, "SHA2-256", NULL), "choosing MGF1's digest");
  return context;
}
