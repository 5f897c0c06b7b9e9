#include "error.h"
#include "floe_body.h"
#include "module.h"
#include "openssl_ptr.h"
#include "raw_operations.h"

namespace callseal::raw {
namespace {

constexpr size_t kMaxData = size_t{1} << 30;  // EVP lengths are int
constexpr size_t kMaxTag = 16;
constexpr size_t kBlock = 16;  // the largest block of any cipher here

int evp_length(ByteView bytes) {
  if (bytes.size() > kMaxData) throw Error(Code::kInvalidArgument, "a test vector has at most 1 GiB");
  return static_cast<int>(bytes.size());
}

// OpenSSL takes a null pointer for "not given", which an empty value is not.
const uint8_t* given(ByteView bytes) {
  static const uint8_t nothing = 0;
  return bytes.data() != nullptr ? bytes.data() : &nothing;
}

CipherCtxPtr new_cipher_context() {
  CipherCtxPtr context(EVP_CIPHER_CTX_new());
  require_openssl(context != nullptr, "allocating a cipher context");
  return context;
}

CipherPtr gcm_cipher(ByteView key) {
  if (key.size() != 16 && key.size() != 24 && key.size() != 32) {
    throw Error(Code::kNotApproved, "an AES key has 16, 24 or 32 bytes");
  }
  return Module::get().fetch_cipher(("AES-" + std::to_string(key.size() * 8) + "-GCM").c_str());
}

CipherPtr cipher_in_mode(const std::string& name, int mode, ByteView key) {
  CipherPtr cipher = Module::get().fetch_cipher(name.c_str());
  if (EVP_CIPHER_get_mode(cipher.get()) != mode) {
    throw Error(Code::kInvalidArgument, name + " is another kind of cipher than this operation uses");
  }
  if (key.size() != static_cast<size_t>(EVP_CIPHER_get_key_length(cipher.get()))) {
    throw Error(Code::kNotApproved, "the key does not have the length that " + name + " uses");
  }
  return cipher;
}

CipherCtxPtr start_gcm(ByteView key, ByteView iv, bool encrypt) {
  CipherPtr cipher = gcm_cipher(key);
  CipherCtxPtr context = new_cipher_context();
  bool ready = EVP_CipherInit_ex2(context.get(), cipher.get(), nullptr, nullptr, encrypt ? 1 : 0, nullptr) == 1 &&
               EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_IVLEN, evp_length(iv), nullptr) == 1 &&
               EVP_CipherInit_ex2(context.get(), nullptr, key.data(), given(iv), encrypt ? 1 : 0, nullptr) == 1;
  if (!ready) refuse("an AES-GCM IV of " + std::to_string(iv.size()) + " bytes");
  return context;
}

CipherCtxPtr start_cbc(const std::string& name, ByteView key, ByteView iv, bool encrypt, bool padding) {
  CipherPtr cipher = cipher_in_mode(name, EVP_CIPH_CBC_MODE, key);
  if (iv.size() != static_cast<size_t>(EVP_CIPHER_get_iv_length(cipher.get()))) {
    throw Error(Code::kNotApproved, "the IV does not have the length that " + name + " uses");
  }
  CipherCtxPtr context = new_cipher_context();
  bool ready = EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), iv.data(), encrypt ? 1 : 0, nullptr) == 1 &&
               EVP_CIPHER_CTX_set_padding(context.get(), padding ? 1 : 0) == 1;
  if (!ready) refuse("this key for " + name);
  return context;
}

// Update and final in one. False when OpenSSL rejects the data.
bool transform(EVP_CIPHER_CTX* context, ByteView data, Bytes& out) {
  out.resize(data.size() + 2 * kBlock);
  int updated = 0;
  int finished = 0;
  bool ok = EVP_CipherUpdate(context, out.data(), &updated, given(data), evp_length(data)) == 1 &&
            EVP_CipherFinal_ex(context, out.data() + updated, &finished) == 1;
  if (ok) out.resize(static_cast<size_t>(updated) + static_cast<size_t>(finished));
  return ok;
}

bool wrap_or_unwrap(const std::string& name, ByteView key, ByteView data, bool wrap, Bytes& out) {
  CipherPtr cipher = cipher_in_mode(name, EVP_CIPH_WRAP_MODE, key);
  if (data.empty()) return false;  // no operation to OpenSSL, but no key is empty, wrapped or not
  CipherCtxPtr context = new_cipher_context();
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  if (EVP_CipherInit_ex2(context.get(), cipher.get(), key.data(), nullptr, wrap ? 1 : 0, nullptr) != 1) {
    refuse("this key for " + name);
  }
  out.resize(data.size() + 2 * kBlock);
  int length = 0;
  bool ok = EVP_CipherUpdate(context.get(), out.data(), &length, data.data(), evp_length(data)) == 1 && length > 0;
  if (ok) out.resize(static_cast<size_t>(length));
  return ok;
}

OSSL_PARAM text_param(const char* name, const std::string& value) {
  return OSSL_PARAM_construct_utf8_string(name, const_cast<char*>(value.c_str()), 0);
}

OSSL_PARAM bytes_param(const char* name, ByteView value) {
  return OSSL_PARAM_construct_octet_string(name, const_cast<uint8_t*>(given(value)), value.size());
}

Bytes derive(EVP_KDF* kdf, const OSSL_PARAM* params, size_t length, const char* what) {
  KdfCtxPtr context(EVP_KDF_CTX_new(kdf));
  require_openssl(context != nullptr, "allocating a KDF context");
  Bytes out(length);
  if (EVP_KDF_derive(context.get(), out.data(), out.size(), params) != 1) {
    refuse(what + std::string(" with these parameters"));
  }
  return out;
}

}  // namespace

void refuse(const std::string& what) {
  throw Error::openssl(Code::kNotApproved, "the crypto module refuses " + what);
}

void require_digest(const std::string& digest) {
  const Module& module = Module::get();
  DigestPtr found(EVP_MD_fetch(module.context(), digest.c_str(), module.properties()));
  if (found == nullptr) throw Error::openssl(Code::kNotApproved, "the crypto module does not offer " + digest);
}

Bytes gcm_encrypt(ByteView key, ByteView iv, ByteView aad, ByteView plaintext, size_t tag_length) {
  if (tag_length == 0 || tag_length > kMaxTag) throw Error(Code::kNotApproved, "a tag has 1 to 16 bytes");
  CipherCtxPtr context = start_gcm(key, iv, true);
  Bytes out(plaintext.size() + tag_length);
  int length = 0;
  uint8_t* end = out.data() + plaintext.size();
  bool ok = EVP_EncryptUpdate(context.get(), nullptr, &length, given(aad), evp_length(aad)) == 1 &&
            EVP_EncryptUpdate(context.get(), out.data(), &length, given(plaintext), evp_length(plaintext)) == 1 &&
            EVP_EncryptFinal_ex(context.get(), end, &length) == 1 &&
            EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_length), end) == 1;
  if (!ok) refuse("AES-GCM encryption with these parameters");
  return out;
}

Bytes gcm_decrypt(ByteView key, ByteView iv, ByteView aad, ByteView ciphertext, ByteView tag) {
  if (tag.empty() || tag.size() > kMaxTag) throw Error(Code::kTampered, "a tag has 1 to 16 bytes");
  CipherCtxPtr context = start_gcm(key, iv, false);
  Bytes expected = tag.copy();
  if (EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, evp_length(tag), expected.data()) != 1) {
    refuse("an AES-GCM tag of " + std::to_string(tag.size()) + " bytes");
  }
  Bytes out(ciphertext.size() + 1);  // never null: to OpenSSL, a null output means "this is AAD"
  int length = 0;
  bool ok = EVP_DecryptUpdate(context.get(), nullptr, &length, given(aad), evp_length(aad)) == 1 &&
            EVP_DecryptUpdate(context.get(), out.data(), &length, given(ciphertext), evp_length(ciphertext)) == 1 &&
            EVP_DecryptFinal_ex(context.get(), out.data() + ciphertext.size(), &length) == 1;
  if (!ok) throw Error::openssl(Code::kTampered, "the message fails AES-GCM authentication");
  out.resize(ciphertext.size());
  return out;
}

Bytes cbc_encrypt(const std::string& cipher, ByteView key, ByteView iv, ByteView data, bool padding) {
  CipherCtxPtr context = start_cbc(cipher, key, iv, true, padding);
  Bytes out;
  if (!transform(context.get(), data, out)) {
    throw Error::openssl(Code::kNotApproved, "without padding, data has whole blocks");
  }
  return out;
}

Bytes cbc_decrypt(const std::string& cipher, ByteView key, ByteView iv, ByteView data, bool padding) {
  CipherCtxPtr context = start_cbc(cipher, key, iv, false, padding);
  Bytes out;
  if (!transform(context.get(), data, out)) {
    throw Error::openssl(Code::kTampered, "the data does not end with a whole block and right padding");
  }
  return out;
}

Bytes key_wrap(const std::string& cipher, ByteView key, ByteView data) {
  Bytes out;
  if (!wrap_or_unwrap(cipher, key, data, true, out)) {
    refuse("to wrap " + std::to_string(data.size()) + " bytes with " + cipher);
  }
  return out;
}

Bytes key_unwrap(const std::string& cipher, ByteView key, ByteView data) {
  Bytes out;
  if (!wrap_or_unwrap(cipher, key, data, false, out)) {
    throw Error::openssl(Code::kTampered, "the wrapped key fails its integrity check");
  }
  return out;
}

Bytes hmac(const std::string& digest, ByteView key, ByteView data) {
  require_digest(digest);
  MacCtxPtr mac(EVP_MAC_CTX_new(Module::get().hmac()));
  require_openssl(mac != nullptr, "allocating an HMAC context");
  OSSL_PARAM params[] = {text_param(OSSL_MAC_PARAM_DIGEST, digest), OSSL_PARAM_construct_end()};
  Bytes tag(EVP_MAX_MD_SIZE);
  size_t length = 0;
  bool ok = EVP_MAC_init(mac.get(), given(key), key.size(), params) == 1 &&
            EVP_MAC_update(mac.get(), given(data), data.size()) == 1 &&
            EVP_MAC_final(mac.get(), tag.data(), &length, tag.size()) == 1;
  if (!ok) refuse("HMAC-" + digest + " with a key of " + std::to_string(key.size()) + " bytes");
  tag.resize(length);
  return tag;
}

Bytes hkdf(const std::string& digest, ByteView key, ByteView salt, ByteView info, size_t length) {
  require_digest(digest);
  int mode = EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND;
  OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                         text_param(OSSL_KDF_PARAM_DIGEST, digest),
                         bytes_param(OSSL_KDF_PARAM_KEY, key),
                         bytes_param(OSSL_KDF_PARAM_SALT, salt),
                         bytes_param(OSSL_KDF_PARAM_INFO, info),
                         OSSL_PARAM_construct_end()};
  return derive(Module::get().hkdf(), params, length, "HKDF");
}

Bytes kbkdf(const std::string& mac, const std::string& algorithm, ByteView key, ByteView fixed_input, int counter_bits,
            size_t length) {
  constexpr char kCounterBits[] = "r";  // OSSL_KDF_PARAM_KBKDF_R, which the headers of OpenSSL 3.0 do not know
  EVP_KDF* kdf = Module::get().kbkdf();
  // A module that does not know the parameter would ignore it and count in 32 bits.
  if (counter_bits != 32 && OSSL_PARAM_locate_const(EVP_KDF_settable_ctx_params(kdf), kCounterBits) == nullptr) {
    refuse("a KBKDF counter of " + std::to_string(counter_bits) + " bits");
  }
  int off = 0;
  OSSL_PARAM params[] = {
      text_param(OSSL_KDF_PARAM_MODE, "counter"),
      text_param(OSSL_KDF_PARAM_MAC, mac),
      text_param(mac == "CMAC" ? OSSL_KDF_PARAM_CIPHER : OSSL_KDF_PARAM_DIGEST, algorithm),
      bytes_param(OSSL_KDF_PARAM_KEY, key),
      bytes_param(OSSL_KDF_PARAM_SALT, fixed_input),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_KBKDF_USE_L, &off),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_KBKDF_USE_SEPARATOR, &off),
      counter_bits == 32 ? OSSL_PARAM_construct_end() : OSSL_PARAM_construct_int(kCounterBits, &counter_bits),
      OSSL_PARAM_construct_end(),
  };
  return derive(kdf, params, length, "KBKDF");
}

Bytes floe_encrypt(ByteView key, ByteView aad, ByteView plaintext, uint32_t segment_length, unsigned rotation_bits) {
  FloeMessage message = FloeMessage::create(SecretKey(KeyUse::kFloe, key), aad, segment_length, rotation_bits);
  Bytes out(message.encrypted_length(plaintext.size()));
  std::copy(message.header().begin(), message.header().end(), out.begin());
  encrypt_floe_body(message, plaintext, out.data() + kFloeHeaderLength);
  return out;
}

Bytes floe_decrypt(ByteView key, ByteView aad, ByteView message, unsigned rotation_bits) {
  if (message.size() < kFloeHeaderLength) throw Error(Code::kTruncated, "the message ends inside its 74-byte header");
  FloeMessage opened =
      FloeMessage::open(SecretKey(KeyUse::kFloe, key), aad, message.subview(0, kFloeHeaderLength), true, rotation_bits);
  Bytes out(message.size() - kFloeHeaderLength);
  out.resize(decrypt_floe_body(opened, message, out.data()));
  return out;
}

}  // namespace callseal::raw
