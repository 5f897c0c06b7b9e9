#include "signature_arguments.h"

#include <string>

#include "arguments.h"
#include "async.h"
#include "key_handles.h"

namespace callseal::addon {
namespace {

struct NamedScheme {
  const char* name;
  SignatureScheme scheme;
};

constexpr NamedScheme kSchemes[] = {
    {"pss-sha256", SignatureScheme::kPssSha256},
    {"pkcs1-sha256", SignatureScheme::kPkcs1Sha256},
    {"pkcs1-sha1", SignatureScheme::kPkcs1Sha1},
    {"ecdsa-p256-sha256", SignatureScheme::kEcdsaP256Sha256},
    {"ecdsa-p384-sha384", SignatureScheme::kEcdsaP384Sha384},
};

Bytes bytes_member(Napi::Object object, const char* name) {
  return bytes_value(object.Get(name), name).copy();
}

SignatureTexts texts_of(Napi::Object object) {
  return {bytes_member(object, "openingLabel"), bytes_member(object, "closingLabel"),
          bytes_member(object, "closingMark")};
}

bool is_absent(Napi::Value value) {
  return value.IsNull() || value.IsUndefined();
}

Napi::Object object_value(Napi::Value value, const char* name) {
  if (!value.IsObject()) reject_argument(value.Env(), std::string(name) + " must be an object");
  return value.As<Napi::Object>();
}

}  // namespace

const char* scheme_name(SignatureScheme scheme) {
  for (const NamedScheme& known : kSchemes) {
    if (known.scheme == scheme) return known.name;
  }
  return "";
}

SignatureScheme scheme_value(Napi::Value value) {
  const std::string name = string_value(value, "scheme");
  std::string names;
  for (const NamedScheme& known : kSchemes) {
    if (name == known.name) return known.scheme;
    names += (names.empty() ? "" : ", ") + std::string(known.name);
  }
  reject_argument(value.Env(), "scheme must be one of " + names);
}

Bytes optional_bytes_value(Napi::Value value, const char* name) {
  return value.IsUndefined() ? Bytes() : bytes_value(value, name).copy();
}

std::unique_ptr<KeptSigner> KeptSigner::from(Napi::Value value) {
  if (is_absent(value)) return nullptr;
  Napi::Object object = object_value(value, "signer");
  auto kept = std::make_unique<KeptSigner>();
  FileSigner& signer = kept->signer_;
  signer.key = PrivateKeyHandle::from(object.Get("key"), "key");
  signer.scheme = scheme_value(object.Get("scheme"));
  signer.fields = bytes_member(object, "fields");
  signer.texts = texts_of(object);
  guarded(value.Env(), [&]() { signer.validate(); });
  signer.key.reset();
  kept->key_ = Napi::Persistent(object.Get("key").As<Napi::Object>());
  return kept;
}

std::shared_ptr<const FileSigner> KeptSigner::for_file() const {
  auto signer = std::make_shared<FileSigner>(signer_);
  signer->key = PrivateKeyHandle::from(key_.Value(), "key");
  return signer;
}

std::optional<FileSignature> optional_signature(Napi::Value value) {
  if (is_absent(value)) return std::nullopt;
  Napi::Object object = object_value(value, "signature");
  FileSignature signature;
  signature.key = PublicKeyHandle::from(object.Get("publicKey"), "publicKey");
  signature.scheme = scheme_value(object.Get("scheme"));
  signature.fields = bytes_member(object, "fields");
  signature.signature = bytes_member(object, "signature");
  signature.texts = texts_of(object);
  signature.prelude = bytes_member(object, "prelude");
  signature.floe_header = bytes_member(object, "floeHeader");
  return signature;
}

Napi::Value verify_opening(const Napi::CallbackInfo& info) {
  std::optional<FileSignature> signature = optional_signature(info[0]);
  if (!signature.has_value()) reject_argument(info.Env(), "signature must be an object");
  return PromiseWork<bool>::run(
      info.Env(),
      [=]() {
        signature->verify_opening();
        return true;
      },
      [](Napi::Env env, bool&) { return env.Undefined(); });
}

}  // namespace callseal::addon
