#include "pkcs12.h"

#include <openssl/objects.h>

#include <optional>

#include "der_shape.h"
#include "error.h"
#include "pkcs12_mac.h"

namespace callseal {
namespace {

// Bags may nest; nobody nests them deeply.
constexpr int kMaxNesting = 4;
// PBMAC1 keys are as long as a hash (RFC 9579 section 4).
constexpr uint64_t kMaxMacKeyLength = 64;

ByteView view(const ASN1_OCTET_STRING* octets) {
  return ByteView(octets->data, static_cast<size_t>(octets->length));
}

// The bytes of a ContentInfo of type data; null for other types and for none.
const ASN1_OCTET_STRING* data_of(const PKCS7* info) {
  return PKCS7_type_is_data(const_cast<PKCS7*>(info)) ? info->d.data : nullptr;
}

// One PKCS#12 file while it is read.
class Pkcs12Reader {
 public:
  Pkcs12Reader(ByteView der, KeyDecryptor& decryptor);

  // True when the file has a MAC and it matches, or has none.
  bool accepts(ByteView passphrase);
  bool has_mac() const { return mac_ != nullptr; }
  // None when no bag holds a private key.
  std::optional<SecretBytes> first_private_key(ByteView passphrase);
  std::vector<Bytes> certificates(ByteView passphrase);

 private:
  bool matches_pkcs12_mac(ByteView passphrase);
  bool matches_pbmac1(ByteView passphrase);
  BagsPtr open_safe(const PKCS7* safe, ByteView passphrase);
  BagsPtr decrypt_safe(const PKCS7* safe, ByteView passphrase);
  std::optional<SecretBytes> search(const STACK_OF(PKCS12_SAFEBAG) * bags, ByteView passphrase, int depth);
  std::optional<SecretBytes> key_of(const PKCS12_SAFEBAG* bag, ByteView passphrase);
  void collect_certificates(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth, std::vector<Bytes>& found);

  KeyDecryptor& decryptor_;
  Pkcs12Ptr file_;
  Pkcs7Ptr content_;  // what the MAC is over; PKCS12 itself does not give it out
  SafesPtr safes_;
  const ASN1_OCTET_STRING* mac_ = nullptr;
  const X509_ALGOR* mac_algorithm_ = nullptr;
  const ASN1_OCTET_STRING* mac_salt_ = nullptr;
  const ASN1_INTEGER* mac_iterations_ = nullptr;
  // Whether anybody could have put a plain key where the reader is: no passphrase was needed for it.
  bool open_to_all_ = false;
};

// The ContentInfo in PFX ::= SEQUENCE { version INTEGER, authSafe ContentInfo, … }.
Pkcs7Ptr read_authenticated_safe(ByteView der) {
  const uint8_t* cursor = der.data();
  const uint8_t* end = der.end();
  long length = 0;
  int tag = 0, tag_class = 0;
  auto enter = [&] { return (ASN1_get_object(&cursor, &length, &tag, &tag_class, end - cursor) & 0x80) == 0; };
  if (!enter() || !enter() || tag != V_ASN1_INTEGER || length > end - cursor) return nullptr;
  cursor += length;
  return Pkcs7Ptr(d2i_PKCS7(nullptr, &cursor, end - cursor));
}

Pkcs12Reader::Pkcs12Reader(ByteView der, KeyDecryptor& decryptor) : decryptor_(decryptor) {
  const uint8_t* cursor = der.data();
  file_.reset(d2i_PKCS12(nullptr, &cursor, static_cast<long>(der.size())));
  content_ = read_authenticated_safe(der);
  if (file_ == nullptr || content_ == nullptr) decryptor_.unreadable("the PKCS#12 structure is damaged");
  if (data_of(content_.get()) == nullptr) {
    decryptor_.unreadable("PKCS#12 files that are signed instead of protected by a passphrase are not supported");
  }
  safes_.reset(PKCS12_unpack_authsafes(file_.get()));
  if (safes_ == nullptr) decryptor_.unreadable("the PKCS#12 structure is damaged");
  PKCS12_get0_mac(&mac_, &mac_algorithm_, &mac_salt_, &mac_iterations_, file_.get());
}

bool Pkcs12Reader::accepts(ByteView passphrase) {
  if (mac_ == nullptr) return true;
  return algorithm_nid(mac_algorithm_) == NID_pbmac1 ? matches_pbmac1(passphrase) : matches_pkcs12_mac(passphrase);
}

bool Pkcs12Reader::matches_pkcs12_mac(ByteView passphrase) {
  uint64_t iterations = 1;  // the DEFAULT, which DER leaves out
  if (mac_iterations_ != nullptr) {
    decryptor_.charge_iterations(mac_iterations_);
    ASN1_INTEGER_get_uint64(&iterations, mac_iterations_);
  }
  Pkcs12MacOptions options{OBJ_nid2sn(algorithm_nid(mac_algorithm_)), view(mac_salt_), iterations};
  ByteView content = view(data_of(content_.get()));
  uint8_t computed[EVP_MAX_MD_SIZE];
  size_t length = 0;
  bool able =
      decryptor_.at_first_able_place("the passphrase of the key file (PKCS#12) was checked", [&](const Place& place) {
        length = pkcs12_mac(place, options, passphrase, content, computed);
        return length > 0;
      });
  if (!able) decryptor_.unreadable("the integrity check of the PKCS#12 file uses an unsupported algorithm");
  bool matches = length == view(mac_).size() && CRYPTO_memcmp(computed, mac_->data, length) == 0;
  OPENSSL_cleanse(computed, sizeof computed);
  return matches;
}

// RFC 9579. The parameters are laid out as those of PBES2, with the MAC in the place of the cipher.
bool Pkcs12Reader::matches_pbmac1(ByteView passphrase) {
  const char* const unsupported = "the integrity check of the PKCS#12 file (PBMAC1) is damaged or not supported";
  Pbe2ParamPtr parameters = pbe2_parameters(mac_algorithm_);
  Pbkdf2ParamPtr kdf = parameters != nullptr ? pbkdf2_parameters(parameters->keyfunc) : nullptr;
  uint64_t key_length = 0;
  if (kdf == nullptr || kdf->keylength == nullptr || ASN1_INTEGER_get_uint64(&key_length, kdf->keylength) != 1 ||
      key_length == 0 || key_length > kMaxMacKeyLength) {
    decryptor_.unreadable(unsupported);
  }
  decryptor_.charge_kdf(parameters->keyfunc);
  const char* digest = hmac_digest(parameters->encryption);
  ByteView content = view(data_of(content_.get()));
  uint8_t computed[EVP_MAX_MD_SIZE];
  size_t length = 0;
  bool able =
      decryptor_.at_first_able_place("the passphrase of the key file (PKCS#12) was checked", [&](const Place& place) {
        SecretBytes key(static_cast<size_t>(key_length));
        return digest != nullptr && derive_key(place, parameters->keyfunc, passphrase, key) &&
               EVP_Q_mac(place.context, "HMAC", place.properties, digest, nullptr, key.data(), key.size(),
                         content.data(), content.size(), computed, sizeof computed, &length) != nullptr;
      });
  if (!able) decryptor_.unreadable(unsupported);
  return length == view(mac_).size() && CRYPTO_memcmp(computed, mac_->data, length) == 0;
}

std::optional<SecretBytes> Pkcs12Reader::first_private_key(ByteView passphrase) {
  // Safes that are not encrypted as a whole first: they hold the key, encrypted by itself, in nearly every file, and
  // the others need not be opened, perhaps outside the module, for their certificates.
  for (bool encrypted : {false, true}) {
    for (int i = 0; i < sk_PKCS7_num(safes_.get()); i++) {
      const PKCS7* safe = sk_PKCS7_value(safes_.get(), i);
      if ((data_of(safe) == nullptr) != encrypted) continue;
      open_to_all_ = !encrypted && !has_mac();
      BagsPtr bags = open_safe(safe, passphrase);
      if (std::optional<SecretBytes> key = search(bags.get(), passphrase, 0)) return key;
    }
  }
  return std::nullopt;
}

BagsPtr Pkcs12Reader::open_safe(const PKCS7* safe, ByteView passphrase) {
  if (data_of(safe) != nullptr) {
    BagsPtr bags(PKCS12_unpack_p7data(const_cast<PKCS7*>(safe)));
    if (bags == nullptr) decryptor_.unreadable("the PKCS#12 structure is damaged");
    return bags;
  }
  if (PKCS7_type_is_encrypted(const_cast<PKCS7*>(safe))) return decrypt_safe(safe, passphrase);
  decryptor_.unreadable("PKCS#12 contents encrypted for a public key are not supported");
}

BagsPtr Pkcs12Reader::decrypt_safe(const PKCS7* safe, ByteView passphrase) {
  const PKCS7_ENC_CONTENT* encrypted = safe->d.encrypted != nullptr ? safe->d.encrypted->enc_data : nullptr;
  if (encrypted == nullptr || encrypted->enc_data == nullptr) decryptor_.unreadable("the PKCS#12 structure is damaged");
  std::string form = "PKCS#12, " + describe_encryption(encrypted->algorithm);
  SecretBytes plain = decryptor_.decrypt(encrypted->algorithm, view(encrypted->enc_data), passphrase, form);
  const uint8_t* cursor = plain.data();
  BagsPtr bags(reinterpret_cast<STACK_OF(PKCS12_SAFEBAG)*>(
      ASN1_item_d2i(nullptr, &cursor, static_cast<long>(plain.size()), ASN1_ITEM_rptr(PKCS12_SAFEBAGS))));
  if (bags == nullptr && has_mac()) decryptor_.unreadable("the PKCS#12 structure is damaged");
  if (bags == nullptr) decryptor_.wrong_passphrase(form);
  return bags;
}

std::optional<SecretBytes> Pkcs12Reader::search(const STACK_OF(PKCS12_SAFEBAG) * bags, ByteView passphrase, int depth) {
  for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
    const PKCS12_SAFEBAG* bag = sk_PKCS12_SAFEBAG_value(bags, i);
    if (std::optional<SecretBytes> key = key_of(bag, passphrase)) return key;
    if (PKCS12_SAFEBAG_get_nid(bag) != NID_safeContentsBag || depth == kMaxNesting) continue;
    const STACK_OF(PKCS12_SAFEBAG)* nested = PKCS12_SAFEBAG_get0_safes(bag);
    if (std::optional<SecretBytes> key = search(nested, passphrase, depth + 1)) return key;
  }
  return std::nullopt;
}

std::optional<SecretBytes> Pkcs12Reader::key_of(const PKCS12_SAFEBAG* bag, ByteView passphrase) {
  if (const X509_SIG* shrouded = PKCS12_SAFEBAG_get0_pkcs8(bag)) {
    const X509_ALGOR* algorithm = nullptr;
    const ASN1_OCTET_STRING* ciphertext = nullptr;
    X509_SIG_get0(shrouded, &algorithm, &ciphertext);
    std::string form = "PKCS#12, " + describe_encryption(algorithm);
    SecretBytes plain = decryptor_.decrypt(algorithm, view(ciphertext), passphrase, form);
    if (der_shape(callseal::view(plain)) != DerShape::kPkcs8) decryptor_.wrong_passphrase(form);
    return plain;
  }
  const PKCS8_PRIV_KEY_INFO* plain = PKCS12_SAFEBAG_get0_p8inf(bag);
  int length = plain != nullptr ? i2d_PKCS8_PRIV_KEY_INFO(plain, nullptr) : 0;
  if (length <= 0) return std::nullopt;
  if (open_to_all_ && !passphrase.empty()) {
    decryptor_.unreadable(
        "the private key in the PKCS#12 file is neither encrypted nor under an integrity check, so that the passphrase "
        "proves nothing of it: anybody could have put it there");
  }
  SecretBytes der(static_cast<size_t>(length));
  uint8_t* cursor = der.data();
  i2d_PKCS8_PRIV_KEY_INFO(plain, &cursor);
  return der;
}

std::vector<Bytes> Pkcs12Reader::certificates(ByteView passphrase) {
  std::vector<Bytes> found;
  for (int i = 0; i < sk_PKCS7_num(safes_.get()); i++) {
    collect_certificates(open_safe(sk_PKCS7_value(safes_.get(), i), passphrase).get(), 0, found);
  }
  return found;
}

void Pkcs12Reader::collect_certificates(const STACK_OF(PKCS12_SAFEBAG) * bags, int depth, std::vector<Bytes>& found) {
  for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
    const PKCS12_SAFEBAG* bag = sk_PKCS12_SAFEBAG_value(bags, i);
    if (PKCS12_SAFEBAG_get_nid(bag) == NID_safeContentsBag && depth < kMaxNesting) {
      collect_certificates(PKCS12_SAFEBAG_get0_safes(bag), depth + 1, found);
    } else if (PKCS12_SAFEBAG_get_nid(bag) == NID_certBag && PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate) {
      X509Ptr certificate(PKCS12_SAFEBAG_get1_cert(bag));
      int length = certificate != nullptr ? i2d_X509(certificate.get(), nullptr) : 0;
      if (length <= 0) decryptor_.unreadable("a certificate in the PKCS#12 file is damaged");
      uint8_t* cursor = found.emplace_back(static_cast<size_t>(length)).data();
      i2d_X509(certificate.get(), &cursor);
    }
  }
}

// What `read` makes of the file with the passphrase that fits it.
template <typename Read>
auto with_passphrase(ByteView der, const ByteView* passphrase, const std::string& path, KeyDecryptor& decryptor,
                     Read&& read) {
  Pkcs12Reader reader(der, decryptor);
  std::vector<ByteView> candidates{ByteView::of(""), ByteView()};
  if (passphrase != nullptr) candidates = {*passphrase};
  for (ByteView candidate : candidates) {
    if (!reader.accepts(candidate)) continue;
    try {
      return read(reader, candidate);
    } catch (const Error& error) {
      if (passphrase != nullptr || error.code() != Code::kWrongPassphrase) throw;
    }
  }
  if (passphrase != nullptr) decryptor.wrong_passphrase("PKCS#12");
  throw Error(Code::kPassphraseRequired, path + ": the private key is encrypted (PKCS#12) and needs a passphrase");
}

}  // namespace

SecretBytes read_pkcs12(ByteView der, const ByteView* passphrase, const std::string& path, KeyDecryptor& decryptor) {
  return with_passphrase(der, passphrase, path, decryptor, [&](Pkcs12Reader& reader, ByteView fitting) {
    std::optional<SecretBytes> key = reader.first_private_key(fitting);
    if (!key) decryptor.unreadable("the PKCS#12 file holds no private key");
    return std::move(*key);
  });
}

std::vector<Bytes> read_pkcs12_certificates(ByteView der, const ByteView* passphrase, const std::string& path,
                                            KeyDecryptor& decryptor) {
  return with_passphrase(der, passphrase, path, decryptor,
                         [](Pkcs12Reader& reader, ByteView fitting) { return reader.certificates(fitting); });
}

}  // namespace callseal
