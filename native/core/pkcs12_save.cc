#include <openssl/rand.h>

#include "atomic_file.h"
#include "certificate.h"
#include "error.h"
#include "key_objects.h"
#include "module.h"
#include "pkcs12.h"
#include "pkcs12_mac.h"
#include "pkcs8_encrypt.h"
#include "quiet_errors.h"
#include "rsa_private_key_der.h"

namespace callseal {
namespace {

// Binds the key to its certificate in the file (PKCS#9 localKeyId); any value that is the same in both.
constexpr int kLocalKeyIdBytes = 20;

X509Ptr find_certificate(const PrivateKey& key, ByteView bytes) {
  for (const KeyObject& object : read_key_objects(bytes)) {
    if (object.shape != DerShape::kCertificate) continue;
    if (decode_recipient(object).public_key->spki_sha256() != key.public_key()->spki_sha256()) continue;
    const uint8_t* cursor = object.der.data();
    X509Ptr certificate(d2i_X509(nullptr, &cursor, static_cast<long>(object.der.size())));
    require_openssl(certificate != nullptr, "decoding a certificate");
    return certificate;
  }
  throw Error(Code::kInvalidArgument, "none of the certificates given belongs to the private key");
}

void push(const BagsPtr& bags, PKCS12_SAFEBAG* raw, const PrivateKey& key, const std::string& friendly_name) {
  BagPtr bag(raw);
  Sha256 id = key.public_key()->spki_sha256();
  require_openssl(
      bag != nullptr && PKCS12_add_localkeyid(bag.get(), id.data(), kLocalKeyIdBytes) == 1 &&
          PKCS12_add_friendlyname_utf8(bag.get(), friendly_name.data(), static_cast<int>(friendly_name.size())) == 1 &&
          sk_PKCS12_SAFEBAG_push(bags.get(), bag.get()) > 0,
      "filling in a PKCS#12 file");
  bag.release();
}

BagsPtr make_bags(const PrivateKey& key, X509* certificate, const std::string& friendly_name,
                  const Passphrase& passphrase) {
  BagsPtr bags(sk_PKCS12_SAFEBAG_new_null());
  require_openssl(bags != nullptr, "allocating a PKCS#12 file");
  Pkcs8Ptr encrypted = encrypt_pkcs8(encode_rsa_private_key(key.pkey()), passphrase.bytes());
  PKCS12_SAFEBAG* key_bag = PKCS12_SAFEBAG_create0_pkcs8(encrypted.get());
  if (key_bag != nullptr) encrypted.release();
  push(bags, key_bag, key, friendly_name);
  if (certificate != nullptr) push(bags, PKCS12_SAFEBAG_create_cert(certificate), key, friendly_name);
  return bags;
}

SafesPtr pack(const BagsPtr& bags) {
  SafesPtr safes(sk_PKCS7_new_null());
  Pkcs7Ptr safe(PKCS12_pack_p7data(bags.get()));
  require_openssl(safes != nullptr && safe != nullptr && sk_PKCS7_push(safes.get(), safe.get()) > 0,
                  "packing a PKCS#12 file");
  safe.release();
  return safes;
}

// What the MAC is over: PKCS12 itself does not give out the bytes that PKCS12_pack_authsafes encodes.
Bytes authenticated_bytes(const SafesPtr& safes) {
  uint8_t* der = nullptr;
  int length = ASN1_item_i2d(reinterpret_cast<ASN1_VALUE*>(safes.get()), &der, ASN1_ITEM_rptr(PKCS12_AUTHSAFES));
  require_openssl(length > 0, "encoding a PKCS#12 file");
  Bytes bytes(der, der + length);
  OPENSSL_free(der);
  return bytes;
}

void add_mac(PKCS12* file, ByteView content, const Place& place, const Passphrase& passphrase) {
  uint8_t salt[kPassphraseSaltBytes];
  uint8_t mac[EVP_MAX_MD_SIZE];
  const ASN1_OCTET_STRING* slot = nullptr;
  require_openssl(RAND_bytes_ex(Module::get().context(), salt, sizeof salt, 0) == 1, "making a salt");
  size_t length = pkcs12_mac(place, {"SHA2-256", salt, kPassphraseIterations}, passphrase.bytes(), content, mac);
  // Of EVP_sha256() only the name is taken.
  bool ok = length > 0 && PKCS12_setup_mac(file, kPassphraseIterations, salt, sizeof salt, EVP_sha256()) == 1;
  if (ok) PKCS12_get0_mac(&slot, nullptr, nullptr, nullptr, file);
  ok = ok && ASN1_OCTET_STRING_set(const_cast<ASN1_OCTET_STRING*>(slot), mac, static_cast<int>(length)) == 1;
  require_openssl(ok, "computing the integrity check of a PKCS#12 file");
}

Bytes to_der(const PKCS12* file) {
  int length = i2d_PKCS12(file, nullptr);
  require_openssl(length > 0, "encoding a PKCS#12 file");
  Bytes der(static_cast<size_t>(length));
  uint8_t* cursor = der.data();
  i2d_PKCS12(file, &cursor);
  return der;
}

}  // namespace

std::string save_pkcs12(const PrivateKey& key, const std::string& path, ByteView certificates,
                        const std::string& friendly_name, const Passphrase& passphrase) {
  QuietErrors quiet;
  const Module& module = Module::get();
  const bool fips = module.mode() == FipsMode::kRequired;
  ScopedDefaultContext scope(module.context());
  key.pkey();  // refuses a key in a token before anything else
  X509Ptr certificate = certificates.empty() ? nullptr : find_certificate(key, certificates);
  AtomicFile output({path, /*replace=*/false, /*sync=*/true});
  BagsPtr bags = make_bags(key, certificate.get(), friendly_name, passphrase);
  SafesPtr safes = pack(bags);
  Pkcs12Ptr file(PKCS12_init(NID_pkcs7_data));
  require_openssl(file != nullptr && PKCS12_pack_authsafes(file.get(), safes.get()) == 1, "packing a PKCS#12 file");
  Place place{fips ? module.decoding_context(false) : module.context(), nullptr};
  add_mac(file.get(), authenticated_bytes(safes), place, passphrase);
  output.write(0, to_der(file.get()));
  output.commit();
  return fips ? "the integrity check of the PKCS#12 file (PKCS12KDF with SHA-256) was computed outside the FIPS module "
                "by OpenSSL's default provider"
              : "";
}

}  // namespace callseal
