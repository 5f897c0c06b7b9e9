#include "key_handles.h"

#include "async.h"
#include "hierarchy_handles.h"
#include "key_file.h"
#include "pkcs12.h"
#include "signature_arguments.h"

namespace callseal::addon {
namespace {

template <typename Core>
std::shared_ptr<const Core> shared(Core core) {
  return std::make_shared<const Core>(std::move(core));
}

Napi::Value wrap_bytes(Napi::Env env, Bytes& bytes) {
  return to_uint8_array(env, bytes);
}

Napi::Value text_or_null(Napi::Env env, const std::string& text) {
  return text.empty() ? env.Null() : Napi::Value(Napi::String::New(env, text));
}

Napi::Value passphrase_prompt(const Napi::CallbackInfo& info) {
  std::string text = string_argument(info, 0, "text");
  bool confirm = boolean_argument(info, 1, "confirm");
  return guarded(info.Env(),
                 [&]() { return PassphraseHandle::wrap(info.Env(), shared(Passphrase::prompt(text, confirm))); });
}

Napi::Value passphrase_from_file(const Napi::CallbackInfo& info) {
  std::string path = path_argument(info, 0, "path");
  return guarded(info.Env(), [&]() { return PassphraseHandle::wrap(info.Env(), shared(Passphrase::from_file(path))); });
}

Napi::Value passphrase_from_environment(const Napi::CallbackInfo& info) {
  std::string name = string_argument(info, 0, "name");
  return guarded(info.Env(),
                 [&]() { return PassphraseHandle::wrap(info.Env(), shared(Passphrase::from_environment(name))); });
}

Napi::Value passphrase_from_descriptor(const Napi::CallbackInfo& info) {
  int fd = static_cast<int>(integer_argument(info, 0, "fd", 0, 1 << 20));
  return guarded(info.Env(),
                 [&]() { return PassphraseHandle::wrap(info.Env(), shared(Passphrase::from_descriptor(fd))); });
}

Napi::Value passphrase_from_bytes(const Napi::CallbackInfo& info) {
  ByteView bytes = bytes_argument(info, 0, "bytes");
  return guarded(info.Env(),
                 [&]() { return PassphraseHandle::wrap(info.Env(), shared(Passphrase::from_bytes(bytes))); });
}

Napi::Value secret_key_generate(const Napi::CallbackInfo& info) {
  KeyUse use = key_use_argument(info, 0);
  return guarded(info.Env(), [&]() { return SecretKeyHandle::wrap(info.Env(), shared(SecretKey::generate(use))); });
}

std::shared_ptr<const Passphrase> optional_passphrase(Napi::Value value) {
  if (value.IsNull() || value.IsUndefined()) return nullptr;
  return PassphraseHandle::from(value, "passphrase");
}

Napi::Value private_key_load(const Napi::CallbackInfo& info) {
  std::string path = path_argument(info, 0, "path");
  auto passphrase = optional_passphrase(info[1]);
  return PromiseWork<std::shared_ptr<const PrivateKey>>::run(
      info.Env(), [path, passphrase]() { return shared(load_private_key(path, passphrase.get())); },
      [](Napi::Env env, auto& key) { return PrivateKeyHandle::wrap(env, key); });
}

Napi::Value private_key_load_pkcs12(const Napi::CallbackInfo& info) {
  struct Loaded {
    std::shared_ptr<const PrivateKey> key;
    std::string certificate;
  };
  std::string path = path_argument(info, 0, "path");
  auto passphrase = optional_passphrase(info[1]);
  return PromiseWork<Loaded>::run(
      info.Env(),
      [path, passphrase]() {
        LoadedPkcs12 loaded = load_pkcs12(path, passphrase.get());
        return Loaded{shared(std::move(loaded.key)), std::move(loaded.certificate_pem)};
      },
      [](Napi::Env env, Loaded& loaded) {
        Napi::Object result = Napi::Object::New(env);
        result["key"] = PrivateKeyHandle::wrap(env, loaded.key);
        result["certificate"] = text_or_null(env, loaded.certificate);
        return result;
      });
}

Napi::Value private_key_generate(const Napi::CallbackInfo& info) {
  int bits = static_cast<int>(integer_argument(info, 0, "bits", 1, 65536));
  return PromiseWork<std::shared_ptr<const PrivateKey>>::run(
      info.Env(), [bits]() { return shared(PrivateKey::generate(bits)); },
      [](Napi::Env env, auto& key) { return PrivateKeyHandle::wrap(env, key); });
}

Napi::Value private_key_generate_ec(const Napi::CallbackInfo& info) {
  const std::string name = string_argument(info, 0, "curve");
  if (name != "P-256" && name != "P-384") reject_argument(info.Env(), "curve must be P-256 or P-384");
  const EcCurve curve = name == "P-256" ? EcCurve::kP256 : EcCurve::kP384;
  return PromiseWork<std::shared_ptr<const PrivateKey>>::run(
      info.Env(), [curve]() { return shared(PrivateKey::generate(curve)); },
      [](Napi::Env env, auto& key) { return PrivateKeyHandle::wrap(env, key); });
}

Napi::Value private_key_probe(const Napi::CallbackInfo& info) {
  std::string path = path_argument(info, 0, "path");
  KeyFileContents contents = guarded(info.Env(), [&]() { return probe_key_file(path); });
  Napi::Env env = info.Env();
  Napi::Array keys = Napi::Array::New(env);
  for (const ProbedPrivateKey& found : contents.private_keys) {
    Napi::Object key = Napi::Object::New(env);
    key["encrypted"] = Napi::Boolean::New(env, found.encrypted);
    key["form"] = Napi::String::New(env, found.form);
    keys[keys.Length()] = key;
  }
  Napi::Array hints = Napi::Array::New(env);
  for (const Sha256& hint : contents.public_key_hints) {
    hints[hints.Length()] = to_uint8_array(env, ByteView(hint.data(), hint.size()));
  }
  Napi::Object result = Napi::Object::New(env);
  result["privateKeys"] = keys;
  result["publicKeyHints"] = hints;
  return result;
}

}  // namespace

SignatureScheme scheme_argument(const Napi::CallbackInfo& info, size_t index) {
  return scheme_value(info[index]);
}

Napi::Function PassphraseHandle::define(Napi::Env env) {
  Napi::Function function = DefineClass(
      env, kName,
      {InstanceAccessor<&PassphraseHandle::length>("length"), InstanceMethod("destroy", &PassphraseHandle::destroy)});
  function["prompt"] = Napi::Function::New(env, passphrase_prompt);
  function["fromFile"] = Napi::Function::New(env, passphrase_from_file);
  function["fromEnvironment"] = Napi::Function::New(env, passphrase_from_environment);
  function["fromDescriptor"] = Napi::Function::New(env, passphrase_from_descriptor);
  function["fromBytes"] = Napi::Function::New(env, passphrase_from_bytes);
  return function;
}

Napi::Value PassphraseHandle::length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(core()->bytes().size()));
}

Napi::Function SecretKeyHandle::define(Napi::Env env) {
  Napi::Function function = DefineClass(
      env, kName,
      {InstanceAccessor<&SecretKeyHandle::use>("use"), InstanceMethod<&SecretKeyHandle::derive>("derive"),
       InstanceMethod<&SecretKeyHandle::mac>("mac"), InstanceMethod<&SecretKeyHandle::verify_mac>("verifyMac"),
       InstanceMethod<&SecretKeyHandle::encrypt_gcm>("encryptGcm"),
       InstanceMethod<&SecretKeyHandle::decrypt_gcm>("decryptGcm"),
       InstanceMethod<&SecretKeyHandle::wrap_key>("wrapKey"), InstanceMethod<&SecretKeyHandle::unwrap_key>("unwrapKey"),
       InstanceMethod("destroy", &SecretKeyHandle::destroy)});
  function["generate"] = Napi::Function::New(env, secret_key_generate);
  return function;
}

Napi::Value SecretKeyHandle::use(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), key_use_name(core()->use()));
}

Napi::Value SecretKeyHandle::derive(const Napi::CallbackInfo& info) {
  Shared key = core();
  KeyUse use = key_use_argument(info, 0);
  ByteView label = bytes_argument(info, 1, "label");
  ByteView context = bytes_argument(info, 2, "context");
  return guarded(info.Env(), [&]() { return wrap(info.Env(), shared(key->derive(use, label, context))); });
}

Napi::Value SecretKeyHandle::mac(const Napi::CallbackInfo& info) {
  Shared key = core();
  ByteView data = bytes_argument(info, 0, "data");
  uint8_t tag[SecretKey::kMacLength];
  guarded(info.Env(), [&]() { key->mac({data}, tag); });
  return to_uint8_array(info.Env(), tag);
}

Napi::Value SecretKeyHandle::verify_mac(const Napi::CallbackInfo& info) {
  Shared key = core();
  ByteView data = bytes_argument(info, 0, "data");
  ByteView tag = bytes_argument(info, 1, "tag");
  return Napi::Boolean::New(info.Env(), guarded(info.Env(), [&]() { return key->verify_mac(data, tag); }));
}

Napi::Value SecretKeyHandle::encrypt_gcm(const Napi::CallbackInfo& info) {
  Shared key = core();
  ByteView plaintext = bytes_argument(info, 0, "plaintext");
  ByteView aad = bytes_argument(info, 1, "aad");
  return guarded(info.Env(), [&]() { return to_uint8_array(info.Env(), key->encrypt_gcm(plaintext, aad)); });
}

Napi::Value SecretKeyHandle::decrypt_gcm(const Napi::CallbackInfo& info) {
  Shared key = core();
  ByteView sealed = bytes_argument(info, 0, "sealed");
  ByteView aad = bytes_argument(info, 1, "aad");
  return guarded(info.Env(), [&]() { return to_uint8_array(info.Env(), view(key->decrypt_gcm(sealed, aad))); });
}

Napi::Value SecretKeyHandle::wrap_key(const Napi::CallbackInfo& info) {
  Shared key = core();
  Shared wrapped = from(info[0], "key");
  return guarded(info.Env(), [&]() { return to_uint8_array(info.Env(), key->wrap_key(*wrapped)); });
}

Napi::Value SecretKeyHandle::unwrap_key(const Napi::CallbackInfo& info) {
  Shared key = core();
  ByteView wrapped = bytes_argument(info, 0, "wrapped");
  KeyUse use = key_use_argument(info, 1);
  return guarded(info.Env(), [&]() { return wrap(info.Env(), shared(key->unwrap_key(wrapped, use))); });
}

Napi::Function PublicKeyHandle::define(Napi::Env env) {
  return DefineClass(
      env, kName,
      {InstanceAccessor<&PublicKeyHandle::algorithm>("algorithm"), InstanceAccessor<&PublicKeyHandle::bits>("bits"),
       InstanceAccessor<&PublicKeyHandle::has_approved_exponent>("hasApprovedExponent"),
       InstanceAccessor<&PublicKeyHandle::spki_sha256>("spkiSha256"), InstanceMethod<&PublicKeyHandle::to_pem>("toPem"),
       InstanceMethod<&PublicKeyHandle::wrap_content_key>("wrap"),
       InstanceMethod<&PublicKeyHandle::wrap_master>("wrapMaster"),
       InstanceAccessor<&PublicKeyHandle::writer_scheme>("writerScheme"),
       InstanceMethod<&PublicKeyHandle::verify>("verify")});
}

Napi::Value PublicKeyHandle::algorithm(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), core()->algorithm());
}

Napi::Value PublicKeyHandle::bits(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), core()->bits());
}

Napi::Value PublicKeyHandle::has_approved_exponent(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), core()->has_approved_exponent());
}

Napi::Value PublicKeyHandle::spki_sha256(const Napi::CallbackInfo& info) {
  const Sha256& id = core()->spki_sha256();
  return to_uint8_array(info.Env(), ByteView(id.data(), id.size()));
}

Napi::Value PublicKeyHandle::to_pem(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), guarded(info.Env(), [&]() { return core()->to_pem(); }));
}

Napi::Value PublicKeyHandle::wrap_content_key(const Napi::CallbackInfo& info) {
  Shared key = core();
  auto content = SecretKeyHandle::from(info[0], "key");
  return PromiseWork<Bytes>::run(
      info.Env(),
      [key, content]() {
        Bytes wrapped(key->modulus_bytes());
        key->wrap(*content, wrapped.data());
        return wrapped;
      },
      wrap_bytes);
}

Napi::Value PublicKeyHandle::wrap_master(const Napi::CallbackInfo& info) {
  Shared key = core();
  auto master = MasterKeyHandle::from(info[0], "key");
  return PromiseWork<Bytes>::run(
      info.Env(), [key, master]() { return master->wrap_for(*key); }, wrap_bytes);
}

Napi::Value PublicKeyHandle::writer_scheme(const Napi::CallbackInfo& info) {
  const std::optional<SignatureScheme> scheme = core()->writer_scheme();
  return scheme.has_value() ? Napi::Value(Napi::String::New(info.Env(), scheme_name(*scheme))) : info.Env().Null();
}

Napi::Value PublicKeyHandle::verify(const Napi::CallbackInfo& info) {
  Shared key = core();
  SignatureScheme scheme = scheme_argument(info, 0);
  Bytes data = bytes_argument(info, 1, "data").copy();
  Bytes signature = bytes_argument(info, 2, "signature").copy();
  return PromiseWork<bool>::run(
      info.Env(), [=]() { return key->verify(scheme, data, signature); },
      [](Napi::Env env, bool& valid) { return Napi::Boolean::New(env, valid); });
}

Napi::Function PrivateKeyHandle::define(Napi::Env env) {
  Napi::Function function = DefineClass(
      env, kName,
      {InstanceAccessor<&PrivateKeyHandle::algorithm>("algorithm"), InstanceAccessor<&PrivateKeyHandle::bits>("bits"),
       InstanceAccessor<&PrivateKeyHandle::spki_sha256>("spkiSha256"),
       InstanceAccessor<&PrivateKeyHandle::public_key>("publicKey"),
       InstanceAccessor<&PrivateKeyHandle::unwrapped_outside>("unwrappedOutside"),
       InstanceMethod<&PrivateKeyHandle::unwrap>("unwrap"),
       InstanceMethod<&PrivateKeyHandle::unwrap_master>("unwrapMaster"),
       InstanceMethod<&PrivateKeyHandle::sign>("sign"), InstanceMethod<&PrivateKeyHandle::save>("save"),
       InstanceMethod<&PrivateKeyHandle::save_pkcs12>("savePkcs12"),
       InstanceMethod("destroy", &PrivateKeyHandle::destroy)});
  function["load"] = Napi::Function::New(env, private_key_load);
  function["loadPkcs12"] = Napi::Function::New(env, private_key_load_pkcs12);
  function["probe"] = Napi::Function::New(env, private_key_probe);
  function["generate"] = Napi::Function::New(env, private_key_generate);
  function["generateEc"] = Napi::Function::New(env, private_key_generate_ec);
  return function;
}

Napi::Value PrivateKeyHandle::algorithm(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), core()->public_key()->algorithm());
}

Napi::Value PrivateKeyHandle::bits(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), core()->public_key()->bits());
}

Napi::Value PrivateKeyHandle::spki_sha256(const Napi::CallbackInfo& info) {
  const Sha256& id = core()->public_key()->spki_sha256();
  return to_uint8_array(info.Env(), ByteView(id.data(), id.size()));
}

Napi::Value PrivateKeyHandle::public_key(const Napi::CallbackInfo& info) {
  return PublicKeyHandle::wrap(info.Env(), core()->public_key());
}

Napi::Value PrivateKeyHandle::unwrapped_outside(const Napi::CallbackInfo& info) {
  Shared key = core();
  return text_or_null(info.Env(), key->unwrapped_outside());
}

Napi::Value PrivateKeyHandle::unwrap(const Napi::CallbackInfo& info) {
  Shared key = core();
  Bytes wrapped = bytes_argument(info, 0, "wrapped").copy();
  return PromiseWork<std::shared_ptr<const SecretKey>>::run(
      info.Env(), [key, wrapped]() { return shared(key->unwrap(wrapped)); },
      [](Napi::Env env, auto& content) { return SecretKeyHandle::wrap(env, content); });
}

Napi::Value PrivateKeyHandle::unwrap_master(const Napi::CallbackInfo& info) {
  Shared key = core();
  Bytes wrapped = bytes_argument(info, 0, "wrapped").copy();
  CipherKind cipher = cipher_argument(info, 1);
  Bytes context = bytes_argument(info, 2, "context").copy();
  return PromiseWork<std::shared_ptr<const MasterKey>>::run(
      info.Env(), [=]() { return shared(MasterKey::unwrap(*key, wrapped, cipher, context)); },
      [](Napi::Env env, auto& master) { return MasterKeyHandle::wrap(env, master); });
}

Napi::Value PrivateKeyHandle::sign(const Napi::CallbackInfo& info) {
  Shared key = core();
  SignatureScheme scheme = scheme_argument(info, 0);
  Bytes data = bytes_argument(info, 1, "data").copy();
  return PromiseWork<Bytes>::run(
      info.Env(), [=]() { return key->sign(scheme, data); }, wrap_bytes);
}

Napi::Value PrivateKeyHandle::save(const Napi::CallbackInfo& info) {
  Shared key = core();
  std::string path = path_argument(info, 0, "path");
  auto passphrase = optional_passphrase(info[1]);
  return PromiseWork<bool>::run(
      info.Env(),
      [=]() {
        save_private_key(*key, path, passphrase.get());
        return true;
      },
      [](Napi::Env env, bool&) { return env.Undefined(); });
}

Napi::Value PrivateKeyHandle::save_pkcs12(const Napi::CallbackInfo& info) {
  Shared key = core();
  std::string path = path_argument(info, 0, "path");
  std::string certificate = info[1].IsNull() ? "" : string_argument(info, 1, "certificate");
  if (!info[1].IsNull() && certificate.empty()) reject_argument(info.Env(), "certificate must be null or PEM text");
  std::string friendly_name = string_argument(info, 2, "friendlyName");
  auto passphrase = PassphraseHandle::from(info[3], "passphrase");
  return PromiseWork<std::string>::run(
      info.Env(),
      [=]() { return callseal::save_pkcs12(*key, path, ByteView::of(certificate), friendly_name, *passphrase); },
      text_or_null);
}

}  // namespace callseal::addon
