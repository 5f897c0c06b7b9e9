#include "cms_handles.h"

#include <optional>

#include "async.h"
#include "envelope_handles.h"
#include "file_arguments.h"
#include "input_handle.h"
#include "key_handles.h"

namespace callseal::addon {
namespace {

Napi::Value open_cms(const Napi::CallbackInfo& info) {
  std::string path = path_argument(info, 0, "path");
  std::optional<OutputOptions> output = optional_output_argument(info, 1);
  return PromiseWork<CmsInputHandle::Shared>::run(
      info.Env(),
      [=]() {
        auto input = std::make_shared<const CmsInput>(path);
        // Before anybody is asked for a passphrase.
        if (output.has_value()) AtomicFile::check(*output, &input->file());
        return input;
      },
      [](Napi::Env env, auto& input) { return CmsInputHandle::wrap(env, input); });
}

std::vector<CmsWrap> wraps_argument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsArray()) reject_argument(info.Env(), "wraps must be an array");
  Napi::Array list = info[index].As<Napi::Array>();
  std::vector<CmsWrap> wraps;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    Napi::Value item = list[i];
    if (!item.IsObject()) reject_argument(info.Env(), "each wrap must be an object");
    Napi::Object wrap = item.As<Napi::Object>();
    wraps.push_back({PublicKeyHandle::from(wrap.Get("publicKey"), "publicKey"),
                     bytes_value(wrap.Get("issuerAndSerial"), "issuerAndSerial").copy()});
  }
  return wraps;
}

}  // namespace

Napi::Function CmsInputHandle::define(Napi::Env env) {
  Napi::Function function = DefineClass(
      env, kName,
      {InstanceAccessor<&CmsInputHandle::recipients>("recipients"), InstanceMethod<&CmsInputHandle::match>("match"),
       InstanceMethod<&CmsInputHandle::unwrap>("unwrap"), InstanceMethod<&CmsInputHandle::import_file>("import"),
       InstanceMethod("destroy", &CmsInputHandle::destroy)});
  function["open"] = Napi::Function::New(env, open_cms);
  return function;
}

Napi::Value CmsInputHandle::recipients(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const std::vector<CmsRecipient>& list = core()->header().recipients;
  Napi::Array result = Napi::Array::New(env, list.size());
  for (uint32_t i = 0; i < list.size(); ++i) {
    Napi::Object recipient = Napi::Object::New(env);
    recipient["name"] = list[i].name;
    recipient["wrappedBytes"] = Napi::Number::New(env, static_cast<double>(list[i].wrapped_key.size()));
    recipient["problem"] = list[i].problem.empty() ? env.Null() : Napi::String::New(env, list[i].problem);
    result[i] = recipient;
  }
  return result;
}

Napi::Value CmsInputHandle::match(const Napi::CallbackInfo& info) {
  Shared input = core();
  std::string path = path_argument(info, 0, "certificates");
  return PromiseWork<std::vector<CmsMatch>>::run(
      info.Env(), [=]() { return input->match(path); },
      [](Napi::Env env, std::vector<CmsMatch>& matches) {
        Napi::Array result = Napi::Array::New(env, matches.size());
        for (uint32_t i = 0; i < matches.size(); ++i) {
          Napi::Object match = Napi::Object::New(env);
          match["recipient"] = Napi::Number::New(env, static_cast<double>(matches[i].recipient));
          match["keyId"] = to_uint8_array(env, ByteView(matches[i].spki_sha256.data(), matches[i].spki_sha256.size()));
          result[i] = match;
        }
        return result;
      });
}

Napi::Value CmsInputHandle::unwrap(const Napi::CallbackInfo& info) {
  Shared input = core();
  auto key = PrivateKeyHandle::from(info[0], "key");
  auto index = static_cast<size_t>(integer_argument(info, 1, "recipient", 0, kMaxCmsRecipients));
  return PromiseWork<SecretKeyHandle::Shared>::run(
      info.Env(), [=]() { return std::make_shared<const SecretKey>(input->unwrap(*key, index)); },
      [](Napi::Env env, auto& content_encryption_key) { return SecretKeyHandle::wrap(env, content_encryption_key); });
}

Napi::Value CmsInputHandle::import_file(const Napi::CallbackInfo& info) {
  Shared input = core();
  auto key = SecretKeyHandle::from(info[0], "contentEncryptionKey");
  auto parts = EnvelopeTemplateHandle::from(info[1], "template");
  Bytes prelude = bytes_argument(info, 2, "prelude").copy();
  OutputOptions output_options = output_argument(info, 3);
  uint32_t segment_length = segment_length_argument(info, 4);
  std::shared_ptr<JobControl> control = JobControlHandle::from(info[5]);
  return PromiseWork<FileJobResult>::run(
      info.Env(),
      [=]() {
        control->check();
        AtomicFile output(output_options, &input->file());
        return import_cms(*input, output, *key, *parts.form, prelude, segment_length, *control, parts.signer);
      },
      file_job_result);
}

Napi::Value export_cms_file(const Napi::CallbackInfo& info) {
  auto input = InputFileHandle::from(info[0], "file");
  auto key = PrivateKeyHandle::from(info[1], "key");
  SealedEnvelope sealed = sealed_envelope_argument(info, 2);
  auto offset = static_cast<uint64_t>(integer_argument(info, 3, "bodyOffset", 0, INT64_C(1) << 52));
  std::vector<CmsWrap> wraps = wraps_argument(info, 4);
  CmsForm form = boolean_argument(info, 5, "pem") ? CmsForm::kPem : CmsForm::kDer;
  OutputOptions output_options = output_argument(info, 6);
  std::shared_ptr<JobControl> control = JobControlHandle::from(info[7]);
  return PromiseWork<FileJobResult>::run(
      info.Env(),
      [=]() {
        control->check();
        SecretKey body_key = open_envelope(*key, sealed);
        AtomicFile output(output_options, input->get());
        return export_cms(**input, output, offset, body_key, sealed.prelude, wraps, form, *control,
                          sealed.signature_or_null());
      },
      file_job_result);
}

}  // namespace callseal::addon
