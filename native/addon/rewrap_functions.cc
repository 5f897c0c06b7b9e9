#include "rewrap_functions.h"

#include "async.h"
#include "envelope_handles.h"
#include "file_arguments.h"
#include "input_handle.h"
#include "key_handles.h"
#include "rewrap.h"

namespace callseal::addon {
namespace {

constexpr int64_t kMostOffset = INT64_C(1) << 52;

uint64_t offset_argument(const Napi::CallbackInfo& info, size_t index, const char* name) {
  return static_cast<uint64_t>(integer_argument(info, index, name, 0, kMostOffset));
}

Napi::Value change_recipients(const Napi::CallbackInfo& info) {
  auto file = InputFileHandle::from(info[0], "file");
  auto key = PrivateKeyHandle::from(info[1], "key");
  SealedEnvelope sealed = sealed_envelope_argument(info, 2);
  auto form = std::make_shared<const EnvelopeTemplate>(envelope_template_argument(info, 3));
  guarded(info.Env(), [&]() { form->validate_holes(); });
  const uint64_t rest = offset_argument(info, 4, "restOffset");
  std::shared_ptr<JobControl> control = JobControlHandle::from(info[5]);
  return PromiseWork<FileJobResult>::run(
      info.Env(),
      [=]() {
        control->check();
        return replace_header(**file, rewrap_header(*key, sealed, *form), rest, *control);
      },
      file_job_result);
}

Napi::Value rekey(const Napi::CallbackInfo& info) {
  auto file = InputFileHandle::from(info[0], "file");
  auto key = PrivateKeyHandle::from(info[1], "key");
  SealedEnvelope sealed = sealed_envelope_argument(info, 2);
  const uint64_t begin = offset_argument(info, 3, "bodyOffset");
  const uint64_t end = offset_argument(info, 4, "bodyEnd");
  auto parts = EnvelopeTemplateHandle::from(info[5], "template");
  Bytes prelude = bytes_argument(info, 6, "prelude").copy();
  uint32_t segment_length = segment_length_argument(info, 7);
  OutputOptions output_options = output_argument(info, 8);
  std::shared_ptr<JobControl> control = JobControlHandle::from(info[9]);
  return PromiseWork<FileJobResult>::run(
      info.Env(),
      [=]() {
        control->check();
        SecretKey body_key = open_envelope(*key, sealed);
        AtomicFile output(output_options, file->get());
        const StartedFile started = start_file(*parts.form, parts.signer, prelude, segment_length);
        const FileBody body{begin, end, sealed.signature_or_null()};
        return rekey_file(**file, body, body_key, sealed.prelude, output, started, *control);
      },
      file_job_result);
}

}  // namespace

void define_rewrap_functions(Napi::Env env, Napi::Object exports) {
  exports["changeRecipients"] = Napi::Function::New(env, change_recipients);
  exports["rekeyFile"] = Napi::Function::New(env, rekey);
}

}  // namespace callseal::addon
