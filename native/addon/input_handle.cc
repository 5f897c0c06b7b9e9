#include "input_handle.h"

#include <algorithm>
#include <optional>

#include "async.h"
#include "envelope_handles.h"
#include "file_arguments.h"
#include "key_handles.h"
#include "signature_arguments.h"

namespace callseal::addon {
namespace {

constexpr int64_t kMaxRead = INT64_C(1) << 24;

Bytes bytes_member(Napi::Object object, const char* name) {
  return bytes_value(object.Get(name), name).copy();
}

Bytes read_part(const InputFile& file, uint64_t offset, size_t length) {
  if (offset >= file.size()) return {};
  Bytes bytes(static_cast<size_t>(std::min<uint64_t>(length, file.size() - offset)));
  bytes.resize(file.read_at(offset, bytes.data(), bytes.size()));
  return bytes;
}

struct Opened {
  InputFileHandle::Shared file;
  Bytes head;
};

Napi::Value open_input(const Napi::CallbackInfo& info) {
  std::string path = path_argument(info, 0, "path");
  std::optional<OutputOptions> output = optional_output_argument(info, 1);
  auto length = static_cast<size_t>(integer_argument(info, 2, "length", 0, kMaxRead));
  return PromiseWork<Opened>::run(
      info.Env(),
      [=]() {
        auto file = std::make_unique<InputFile>(path);
        // Before anybody is asked for a passphrase.
        if (output.has_value()) AtomicFile::check(*output, file.get());
        Bytes head = read_part(*file, 0, length);
        return Opened{std::make_shared<const std::unique_ptr<InputFile>>(std::move(file)), std::move(head)};
      },
      [](Napi::Env env, Opened& opened) {
        Napi::Object result = Napi::Object::New(env);
        result["size"] = Napi::Number::New(env, static_cast<double>((*opened.file)->size()));
        result["head"] = to_uint8_array(env, opened.head);
        result["file"] = InputFileHandle::wrap(env, opened.file);
        return result;
      });
}

const char* reason_name(Loss::Reason reason) {
  switch (reason) {
    case Loss::Reason::kTruncated:
    case Loss::Reason::kClosing:
      return "truncated";
    case Loss::Reason::kDamaged:
      return "damaged";
    case Loss::Reason::kTrailing:
      return "trailing";
  }
  return "";
}

Napi::Value decrypt_result(Napi::Env env, FileJobResult& result) {
  Napi::Object object = file_job_result(env, result).As<Napi::Object>();
  object["loss"] = env.Null();
  if (!result.loss.has_value()) return object;
  Napi::Object loss = Napi::Object::New(env);
  loss["reason"] = reason_name(result.loss->reason);
  loss["segment"] = Napi::Number::New(env, static_cast<double>(result.loss->segment));
  loss["offset"] = Napi::Number::New(env, static_cast<double>(result.loss->offset));
  loss["bytes"] = Napi::Number::New(env, static_cast<double>(result.loss->bytes));
  if (result.loss->reason == Loss::Reason::kClosing) loss["signatureOnly"] = Napi::Boolean::New(env, true);
  object["loss"] = loss;
  return object;
}

}  // namespace

SealedEnvelope sealed_envelope_argument(const Napi::CallbackInfo& info, size_t index) {
  Napi::Object object = object_argument(info, index, "envelope");
  SealedEnvelope sealed;
  sealed.wrapped_key = bytes_member(object, "wrappedKey");
  sealed.prelude = bytes_member(object, "prelude");
  sealed.authenticated = bytes_member(object, "authenticated");
  sealed.mac = bytes_member(object, "mac");
  sealed.body_label = bytes_member(object, "bodyLabel");
  sealed.mac_label = bytes_member(object, "macLabel");
  sealed.body_context = optional_bytes_value(object.Get("bodyContext"), "bodyContext");
  sealed.signature = optional_signature(object.Get("signature"));
  return sealed;
}

Napi::Function InputFileHandle::define(Napi::Env env) {
  Napi::Function function =
      DefineClass(env, kName,
                  {InstanceMethod<&InputFileHandle::read>("read"), InstanceMethod<&InputFileHandle::decrypt>("decrypt"),
                   InstanceMethod("destroy", &InputFileHandle::destroy)});
  function["open"] = Napi::Function::New(env, open_input);
  return function;
}

Napi::Value InputFileHandle::read(const Napi::CallbackInfo& info) {
  Shared file = core();
  auto offset = static_cast<uint64_t>(integer_argument(info, 0, "offset", 0, INT64_C(1) << 52));
  auto length = static_cast<size_t>(integer_argument(info, 1, "length", 0, kMaxRead));
  return PromiseWork<Bytes>::run(
      info.Env(), [=]() { return read_part(**file, offset, length); },
      [](Napi::Env env, Bytes& bytes) { return to_uint8_array(env, bytes); });
}

Napi::Value InputFileHandle::decrypt(const Napi::CallbackInfo& info) {
  Shared file = core();
  auto key = PrivateKeyHandle::from(info[0], "key");
  SealedEnvelope sealed = sealed_envelope_argument(info, 1);
  auto offset = static_cast<uint64_t>(integer_argument(info, 2, "bodyOffset", 0, INT64_C(1) << 52));
  std::optional<OutputOptions> output = optional_output_argument(info, 3);
  std::shared_ptr<JobControl> control = JobControlHandle::from(info[4]);
  const bool recover = boolean_argument(info, 5, "recover");
  return PromiseWork<FileJobResult>::run(
      info.Env(),
      [=]() {
        control->check();
        SecretKey body_key = open_envelope(*key, sealed);
        std::optional<AtomicFile> target;
        if (output.has_value()) target.emplace(*output, file->get());
        AtomicFile* to = target.has_value() ? &*target : nullptr;
        return decrypt_file(**file, to, offset, body_key, sealed.prelude, *control, recover,
                            sealed.signature_or_null());
      },
      decrypt_result);
}

}  // namespace callseal::addon
