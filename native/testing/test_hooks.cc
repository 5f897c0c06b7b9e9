#include "test_hooks.h"

#include <limits>

#include "arguments.h"
#include "hierarchy_handles.h"
#include "key_file.h"
#include "key_handles.h"
#include "raw_operations.h"

namespace callseal::addon {
namespace {

constexpr int64_t kMaxOutput = 1 << 20;

// Runs `work` and hands its bytes over.
template <typename Work>
Napi::Value bytes_of(const Napi::CallbackInfo& info, Work&& work) {
  return to_uint8_array(info.Env(), guarded(info.Env(), work));
}

template <typename Work>
Napi::Value boolean_of(const Napi::CallbackInfo& info, Work&& work) {
  return Napi::Boolean::New(info.Env(), guarded(info.Env(), work));
}

size_t length_argument(const Napi::CallbackInfo& info, size_t index) {
  return static_cast<size_t>(integer_argument(info, index, "length", 0, kMaxOutput));
}

unsigned rotation_argument(const Napi::CallbackInfo& info, size_t index) {
  return static_cast<unsigned>(integer_argument(info, index, "rotationBits", 0, 63));
}

Napi::Value import_key(const Napi::CallbackInfo& info) {
  KeyUse use = key_use_argument(info, 0);
  ByteView bytes = bytes_argument(info, 1, "bytes");
  return guarded(info.Env(),
                 [&]() { return SecretKeyHandle::wrap(info.Env(), std::make_shared<const SecretKey>(use, bytes)); });
}

Napi::Value export_key(const Napi::CallbackInfo& info) {
  auto key = SecretKeyHandle::from(info[0], "key");
  return bytes_of(info, [&]() { return key->bytes_for(key->use()); });
}

Napi::Value import_private_key(const Napi::CallbackInfo& info) {
  ByteView pkcs8 = bytes_argument(info, 0, "pkcs8");
  return guarded(info.Env(), [&]() {
    auto key = std::make_shared<const PrivateKey>(decode_private_key(pkcs8, nullptr, "test vector"));
    return PrivateKeyHandle::wrap(info.Env(), std::move(key));
  });
}

Napi::Value import_master_key(const Napi::CallbackInfo& info) {
  CipherKind cipher = cipher_argument(info, 0);
  ByteView bytes = bytes_argument(info, 1, "bytes");
  ByteView context = bytes_argument(info, 2, "context");
  return guarded(info.Env(), [&]() {
    return MasterKeyHandle::wrap(info.Env(), std::make_shared<const MasterKey>(cipher, bytes, context));
  });
}

Napi::Value import_working_key(const Napi::CallbackInfo& info) {
  CipherKind cipher = cipher_argument(info, 0);
  HashKind hash = hash_argument(info, 1);
  ByteView bytes = bytes_argument(info, 2, "bytes");
  ByteView binding_key = bytes_argument(info, 3, "bindingKey");
  return guarded(info.Env(), [&]() {
    return WorkingKeyHandle::wrap(info.Env(), std::make_shared<const WorkingKey>(cipher, hash, bytes, binding_key));
  });
}

Napi::Value gcm_encrypt(const Napi::CallbackInfo& info) {
  ByteView key = bytes_argument(info, 0, "key");
  ByteView iv = bytes_argument(info, 1, "iv");
  ByteView aad = bytes_argument(info, 2, "aad");
  ByteView plaintext = bytes_argument(info, 3, "plaintext");
  size_t tag_length = length_argument(info, 4);
  return bytes_of(info, [&]() { return raw::gcm_encrypt(key, iv, aad, plaintext, tag_length); });
}

Napi::Value gcm_decrypt(const Napi::CallbackInfo& info) {
  ByteView key = bytes_argument(info, 0, "key");
  ByteView iv = bytes_argument(info, 1, "iv");
  ByteView aad = bytes_argument(info, 2, "aad");
  ByteView ciphertext = bytes_argument(info, 3, "ciphertext");
  ByteView tag = bytes_argument(info, 4, "tag");
  return bytes_of(info, [&]() { return raw::gcm_decrypt(key, iv, aad, ciphertext, tag); });
}

template <auto Operation>
Napi::Value cbc(const Napi::CallbackInfo& info) {
  std::string cipher = string_argument(info, 0, "cipher");
  ByteView key = bytes_argument(info, 1, "key");
  ByteView iv = bytes_argument(info, 2, "iv");
  ByteView data = bytes_argument(info, 3, "data");
  bool padding = boolean_argument(info, 4, "padding");
  return bytes_of(info, [&]() { return Operation(cipher, key, iv, data, padding); });
}

template <auto Operation>
Napi::Value key_wrap(const Napi::CallbackInfo& info) {
  std::string cipher = string_argument(info, 0, "cipher");
  ByteView key = bytes_argument(info, 1, "key");
  ByteView data = bytes_argument(info, 2, "data");
  return bytes_of(info, [&]() { return Operation(cipher, key, data); });
}

Napi::Value hmac(const Napi::CallbackInfo& info) {
  std::string digest = string_argument(info, 0, "digest");
  ByteView key = bytes_argument(info, 1, "key");
  ByteView data = bytes_argument(info, 2, "data");
  return bytes_of(info, [&]() { return raw::hmac(digest, key, data); });
}

Napi::Value hkdf(const Napi::CallbackInfo& info) {
  std::string digest = string_argument(info, 0, "digest");
  ByteView key = bytes_argument(info, 1, "key");
  ByteView salt = bytes_argument(info, 2, "salt");
  ByteView context = bytes_argument(info, 3, "info");
  size_t length = length_argument(info, 4);
  return bytes_of(info, [&]() { return raw::hkdf(digest, key, salt, context, length); });
}

Napi::Value kbkdf(const Napi::CallbackInfo& info) {
  std::string mac = string_argument(info, 0, "mac");
  std::string algorithm = string_argument(info, 1, "algorithm");
  ByteView key = bytes_argument(info, 2, "key");
  ByteView fixed_input = bytes_argument(info, 3, "fixedInput");
  int counter_bits = static_cast<int>(integer_argument(info, 4, "counterBits", 8, 32));
  size_t length = length_argument(info, 5);
  return bytes_of(info, [&]() { return raw::kbkdf(mac, algorithm, key, fixed_input, counter_bits, length); });
}

template <auto Operation>
Napi::Value oaep(const Napi::CallbackInfo& info) {
  ByteView key = bytes_argument(info, 0, "key");
  std::string digest = string_argument(info, 1, "digest");
  std::string mgf1_digest = string_argument(info, 2, "mgf1Digest");
  ByteView label = bytes_argument(info, 3, "label");
  ByteView data = bytes_argument(info, 4, "data");
  return bytes_of(info, [&]() { return Operation(key, digest, mgf1_digest, label, data); });
}

Napi::Value pss_verify(const Napi::CallbackInfo& info) {
  ByteView spki = bytes_argument(info, 0, "spki");
  std::string digest = string_argument(info, 1, "digest");
  std::string mgf1_digest = string_argument(info, 2, "mgf1Digest");
  int salt_length = static_cast<int>(integer_argument(info, 3, "saltLength", 0, 65536));
  ByteView data = bytes_argument(info, 4, "data");
  ByteView signature = bytes_argument(info, 5, "signature");
  return boolean_of(info, [&]() { return raw::pss_verify(spki, digest, mgf1_digest, salt_length, data, signature); });
}

Napi::Value pkcs1_verify(const Napi::CallbackInfo& info) {
  ByteView spki = bytes_argument(info, 0, "spki");
  std::string digest = string_argument(info, 1, "digest");
  ByteView data = bytes_argument(info, 2, "data");
  ByteView signature = bytes_argument(info, 3, "signature");
  return boolean_of(info, [&]() { return raw::pkcs1_verify(spki, digest, data, signature); });
}

Napi::Value pkcs1_sign(const Napi::CallbackInfo& info) {
  ByteView pkcs8 = bytes_argument(info, 0, "pkcs8");
  std::string digest = string_argument(info, 1, "digest");
  ByteView data = bytes_argument(info, 2, "data");
  return bytes_of(info, [&]() { return raw::pkcs1_sign(pkcs8, digest, data); });
}

Napi::Value floe_encrypt(const Napi::CallbackInfo& info) {
  ByteView key = bytes_argument(info, 0, "key");
  ByteView aad = bytes_argument(info, 1, "aad");
  ByteView plaintext = bytes_argument(info, 2, "plaintext");
  auto segment_length =
      static_cast<uint32_t>(integer_argument(info, 3, "segmentLength", 0, std::numeric_limits<uint32_t>::max()));
  unsigned rotation_bits = rotation_argument(info, 4);
  return bytes_of(info, [&]() { return raw::floe_encrypt(key, aad, plaintext, segment_length, rotation_bits); });
}

Napi::Value floe_decrypt(const Napi::CallbackInfo& info) {
  ByteView key = bytes_argument(info, 0, "key");
  ByteView aad = bytes_argument(info, 1, "aad");
  ByteView message = bytes_argument(info, 2, "message");
  unsigned rotation_bits = rotation_argument(info, 3);
  return bytes_of(info, [&]() { return raw::floe_decrypt(key, aad, message, rotation_bits); });
}

}  // namespace

Napi::Object make_test_hooks(Napi::Env env) {
  Napi::Object hooks = Napi::Object::New(env);
  hooks["importKey"] = Napi::Function::New(env, import_key);
  hooks["exportKey"] = Napi::Function::New(env, export_key);
  hooks["importPrivateKey"] = Napi::Function::New(env, import_private_key);
  hooks["importMasterKey"] = Napi::Function::New(env, import_master_key);
  hooks["importWorkingKey"] = Napi::Function::New(env, import_working_key);
  hooks["gcmEncrypt"] = Napi::Function::New(env, gcm_encrypt);
  hooks["gcmDecrypt"] = Napi::Function::New(env, gcm_decrypt);
  hooks["cbcEncrypt"] = Napi::Function::New(env, cbc<raw::cbc_encrypt>);
  hooks["cbcDecrypt"] = Napi::Function::New(env, cbc<raw::cbc_decrypt>);
  hooks["keyWrap"] = Napi::Function::New(env, key_wrap<raw::key_wrap>);
  hooks["keyUnwrap"] = Napi::Function::New(env, key_wrap<raw::key_unwrap>);
  hooks["hmac"] = Napi::Function::New(env, hmac);
  hooks["hkdf"] = Napi::Function::New(env, hkdf);
  hooks["kbkdf"] = Napi::Function::New(env, kbkdf);
  hooks["oaepEncrypt"] = Napi::Function::New(env, oaep<raw::oaep_encrypt>);
  hooks["oaepDecrypt"] = Napi::Function::New(env, oaep<raw::oaep_decrypt>);
  hooks["pssVerify"] = Napi::Function::New(env, pss_verify);
  hooks["pkcs1Verify"] = Napi::Function::New(env, pkcs1_verify);
  hooks["pkcs1Sign"] = Napi::Function::New(env, pkcs1_sign);
  hooks["floeEncrypt"] = Napi::Function::New(env, floe_encrypt);
  hooks["floeDecrypt"] = Napi::Function::New(env, floe_decrypt);
  return hooks;
}

}  // namespace callseal::addon
