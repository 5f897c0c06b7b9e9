#include "key_encryption.h"

#include <openssl/err.h>

#include <algorithm>

#include "error.h"
#include "module.h"

namespace callseal {
namespace {

// Bytes of the IV that traditional PEM uses as salt (PKCS5_SALT_LEN of OpenSSL's EVP_BytesToKey).
constexpr size_t kTraditionalSaltLength = 8;

enum class Performer { kModule, kDefaultProvider, kLegacyProvider };

Place place_of(Performer performer) {
  const Module& module = Module::get();
  if (performer == Performer::kModule) return {module.context(), module.properties()};
  return {module.decoding_context(performer == Performer::kLegacyProvider), nullptr};
}

// With FIPS off the module's context is the default provider's, and only the legacy provider is outside.
std::string outside_note(const std::string& what, Performer performer) {
  std::string where = Module::get().mode() == FipsMode::kRequired ? " outside the FIPS module" : "";
  return what + where +
         (performer == Performer::kDefaultProvider ? " by OpenSSL's default provider"
                                                   : " by OpenSSL's legacy provider");
}

const char* as_chars(ByteView passphrase) {
  return reinterpret_cast<const char*>(passphrase.data());
}

CipherCtxPtr prepare(const Place& place, const X509_ALGOR* algorithm, ByteView passphrase) {
  if (algorithm_nid(algorithm) == NID_pbes2) {
    Pbe2ParamPtr parameters = pbe2_parameters(algorithm);
    return parameters != nullptr ? prepare_pbes2(place, parameters.get(), passphrase) : nullptr;
  }
  CipherCtxPtr cipher(EVP_CIPHER_CTX_new());
  if (cipher == nullptr ||
      EVP_PBE_CipherInit_ex(algorithm->algorithm, as_chars(passphrase), static_cast<int>(passphrase.size()),
                            algorithm->parameter, cipher.get(), 0, place.context, place.properties) != 1) {
    return nullptr;
  }
  return cipher;
}

struct DekInfo {
  std::string cipher;
  std::vector<uint8_t> iv;
};

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Empty IV when the header is not a DEK-Info of a block cipher.
DekInfo parse_dek_info(const std::string& text) {
  DekInfo info;
  info.cipher = traditional_cipher_name(text);
  size_t start = text.find(',');
  if (start == std::string::npos) return info;
  std::string hex = text.substr(start + 1);
  std::vector<uint8_t> iv;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    int high = hex_value(hex[i]), low = hex_value(hex[i + 1]);
    if (high < 0 || low < 0) return info;
    iv.push_back(static_cast<uint8_t>(high << 4 | low));
  }
  if (hex.size() % 2 == 0) info.iv = std::move(iv);
  return info;
}

CipherCtxPtr prepare_traditional(const Place& place, const DekInfo& info, ByteView passphrase) {
  CipherPtr cipher(EVP_CIPHER_fetch(place.context, info.cipher.c_str(), place.properties));
  DigestPtr md5(EVP_MD_fetch(place.context, "MD5", place.properties));
  if (cipher == nullptr || md5 == nullptr) return nullptr;
  if (static_cast<size_t>(EVP_CIPHER_get_iv_length(cipher.get())) != info.iv.size() ||
      info.iv.size() < kTraditionalSaltLength) {
    return nullptr;
  }
  SecretBytes key(static_cast<size_t>(EVP_CIPHER_get_key_length(cipher.get())));
  if (EVP_BytesToKey(cipher.get(), md5.get(), info.iv.data(), passphrase.data(), static_cast<int>(passphrase.size()), 1,
                     key.data(), nullptr) != static_cast<int>(key.size())) {
    return nullptr;
  }
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  if (context == nullptr ||
      EVP_DecryptInit_ex2(context.get(), cipher.get(), key.data(), info.iv.data(), nullptr) != 1) {
    return nullptr;
  }
  return context;
}

}  // namespace

std::string traditional_cipher_name(const std::string& dek_info) {
  std::string name = dek_info.substr(0, dek_info.find(','));
  bool is_name =
      !name.empty() && name.size() <= 40 &&
      name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
  return is_name ? name : "unknown";
}

SecretBytes KeyDecryptor::decrypt(const X509_ALGOR* algorithm, ByteView ciphertext, ByteView passphrase,
                                  const std::string& form) {
  charge(algorithm);
  CipherCtxPtr cipher;
  if (!at_first_able_place("the key file (" + form + ") was decrypted", [&](const Place& place) {
        cipher = prepare(place, algorithm, passphrase);
        return cipher != nullptr;
      })) {
    unreadable("its encryption (" + form + ") is not supported or damaged");
  }
  return run(std::move(cipher), ciphertext, form);
}

SecretBytes KeyDecryptor::decrypt_traditional(const std::string& dek_info, ByteView ciphertext, ByteView passphrase,
                                              const std::string& form) {
  DekInfo info = parse_dek_info(dek_info);
  CipherCtxPtr cipher;
  if (!at_first_able_place("the key file (" + form + ") was decrypted", [&](const Place& place) {
        cipher = prepare_traditional(place, info, passphrase);
        return cipher != nullptr;
      })) {
    unreadable("its encryption (" + form + ") is not supported or damaged");
  }
  return run(std::move(cipher), ciphertext, form);
}

SecretBytes KeyDecryptor::run(CipherCtxPtr cipher, ByteView ciphertext, const std::string& form) const {
  size_t block = static_cast<size_t>(EVP_CIPHER_CTX_get_block_size(cipher.get()));
  if (ciphertext.empty() || ciphertext.size() % block != 0) unreadable("its encrypted part is cut off");
  SecretBytes plaintext(ciphertext.size() + block);
  int written = 0, rest = 0;
  if (EVP_DecryptUpdate(cipher.get(), plaintext.data(), &written, ciphertext.data(),
                        static_cast<int>(ciphertext.size())) != 1) {
    throw Error::openssl(Code::kCrypto, path_ + ": decrypting " + form + " failed");
  }
  if (EVP_DecryptFinal_ex(cipher.get(), plaintext.data() + written, &rest) != 1) wrong_passphrase(form);
  plaintext.resize(static_cast<size_t>(written + rest));
  return plaintext;
}

bool KeyDecryptor::at_first_able_place(const std::string& what, const std::function<bool(const Place&)>& attempt) {
  for (Performer performer : {Performer::kModule, Performer::kDefaultProvider, Performer::kLegacyProvider}) {
    if (performer == Performer::kDefaultProvider && Module::get().mode() == FipsMode::kOff) continue;
    Place place = place_of(performer);
    ScopedDefaultContext scope(place.context);
    bool able = attempt(place);
    take_openssl_errors();
    if (!able) continue;
    if (performer != Performer::kModule) note_outside(outside_note(what, performer));
    return true;
  }
  return false;
}

void KeyDecryptor::note_outside(const std::string& note) {
  if (std::find(outside_.begin(), outside_.end(), note) == outside_.end()) outside_.push_back(note);
}

void KeyDecryptor::charge(const X509_ALGOR* algorithm) {
  if (algorithm_nid(algorithm) == NID_pbes2) {
    Pbe2ParamPtr parameters = pbe2_parameters(algorithm);
    if (parameters != nullptr) charge_kdf(parameters->keyfunc);
  } else if (Pbe1ParamPtr parameters = pbe1_parameters(algorithm)) {
    charge_iterations(parameters->iter);
  }
}

void KeyDecryptor::charge_kdf(const X509_ALGOR* kdf) {
  if (algorithm_nid(kdf) == NID_id_scrypt) return charge_scrypt(kdf);
  if (Pbkdf2ParamPtr parameters = pbkdf2_parameters(kdf)) charge_iterations(parameters->iter);
}

void KeyDecryptor::charge_iterations(const ASN1_INTEGER* count) {
  uint64_t iterations = 0;
  bool is_count = ASN1_INTEGER_get_uint64(&iterations, count) == 1;
  take_openssl_errors();
  if (!is_count || iterations == 0 || iterations > left_.iterations) {
    unreadable("it asks for " + (is_count ? std::to_string(iterations) : "a senseless number of") +
               " rounds of key derivation; one key file is allowed 1 to " + std::to_string(limits_.iterations) +
               " in all");
  }
  left_.iterations -= iterations;
}

void KeyDecryptor::charge_scrypt(const X509_ALGOR* kdf) {
  ScryptParamPtr parameters = scrypt_parameters(kdf);
  if (parameters == nullptr) return;
  uint64_t n = 0, r = 0, p = 0;
  bool are_counts = ASN1_INTEGER_get_uint64(&n, parameters->costParameter) == 1 &&
                    ASN1_INTEGER_get_uint64(&r, parameters->blockSize) == 1 &&
                    ASN1_INTEGER_get_uint64(&p, parameters->parallelizationParameter) == 1 && n > 0 && r > 0 && p > 0;
  take_openssl_errors();
  uint64_t block_bytes = 0, blocks = 0, bytes = 0, work = 0;
  bool in_range = are_counts && !__builtin_mul_overflow(uint64_t{128}, r, &block_bytes) &&
                  !__builtin_add_overflow(n, p, &blocks) && !__builtin_mul_overflow(block_bytes, blocks, &bytes) &&
                  !__builtin_mul_overflow(bytes, p, &work);
  if (!in_range || bytes > limits_.scrypt_bytes || work > left_.scrypt_work) {
    unreadable("its scrypt parameters ask for more than " + std::to_string(limits_.scrypt_bytes >> 20) +
               " MiB of memory or too much time");
  }
  left_.scrypt_work -= work;
}

std::string KeyDecryptor::outside() const {
  std::string sentence;
  for (const std::string& note : outside_) sentence += (sentence.empty() ? "" : "; ") + note;
  return sentence;
}

void KeyDecryptor::wrong_passphrase(const std::string& form) const {
  take_openssl_errors();
  throw Error(Code::kWrongPassphrase, path_ + ": the passphrase does not open this private key (" + form + ")");
}

void KeyDecryptor::unreadable(const std::string& why) const {
  take_openssl_errors();
  throw Error(Code::kKeyUnreadable, path_ + ": the private key cannot be read: " + why);
}

}  // namespace callseal
