#include "envelope_handles.h"

#include "async.h"
#include "file_arguments.h"
#include "key_handles.h"
#include "started_file.h"

namespace callseal::addon {
namespace {

constexpr int64_t kMostThreads = 64;
constexpr int64_t kMostMicroseconds = 1'000'000;

// Where to write; not where `inputs` are read.
ByteSpan output_span_argument(const Napi::CallbackInfo& info, size_t index, std::initializer_list<ByteView> inputs) {
  ByteSpan output = span_argument(info, index, "output");
  for (ByteView input : inputs) {
    if (!input.empty() && input.data() < output.data + output.size && output.data < input.data() + input.size()) {
      reject_argument(info.Env(), "output must not overlap the input");
    }
  }
  return output;
}

// Threads and microseconds, two arguments.
FloeEffort effort_argument(const Napi::CallbackInfo& info, size_t index) {
  int64_t threads = integer_argument(info, index, "threads", 1, kMostThreads);
  int64_t time = integer_argument(info, index + 1, "microseconds", 0, kMostMicroseconds);
  return {static_cast<unsigned>(threads), std::chrono::microseconds(time)};
}

}  // namespace

Napi::Function JobControlHandle::define(Napi::Env env) {
  return DefineClass(
      env, kName,
      {InstanceAccessor<&JobControlHandle::progress>("progress"), InstanceAccessor<&JobControlHandle::total>("total"),
       InstanceMethod<&JobControlHandle::cancel>("cancel")});
}

std::shared_ptr<JobControl> JobControlHandle::make(Napi::Env env) {
  return std::make_shared<JobControl>([watch = Environment::of(env).end_watch]() { watch->ask(); });
}

std::shared_ptr<JobControl> JobControlHandle::from(Napi::Value value) {
  std::shared_ptr<JobControl> control =
      value.IsNull() ? make(value.Env()) : unwrap_argument(value, "control")->control_;
  Environment::of(value.Env()).jobs.add(control);
  return control;
}

Napi::Value JobControlHandle::progress(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(control_->progress()));
}

Napi::Value JobControlHandle::total(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(control_->total()));
}

void JobControlHandle::cancel(const Napi::CallbackInfo&) {
  control_->cancel();
}

Napi::Function EnvelopeTemplateHandle::define(Napi::Env env) {
  return DefineClass(env, kName,
                     {InstanceMethod<&EnvelopeTemplateHandle::encrypt_file>("encryptFile"),
                      InstanceMethod<&EnvelopeTemplateHandle::start>("start"),
                      InstanceMethod<&EnvelopeTemplateHandle::start_ahead>("startAhead")});
}

EnvelopeTemplate envelope_template_argument(const Napi::CallbackInfo& info, size_t index) {
  Napi::Object init = object_argument(info, index, "init");
  EnvelopeTemplate form;
  form.recipients = bytes_value(init.Get("recipients"), "recipients").copy();
  form.body_label = bytes_value(init.Get("bodyLabel"), "bodyLabel").copy();
  form.mac_label = bytes_value(init.Get("macLabel"), "macLabel").copy();
  form.body_context = optional_bytes_value(init.Get("bodyContext"), "bodyContext");
  Napi::Value wraps = init.Get("wraps");
  if (!wraps.IsArray()) reject_argument(info.Env(), "wraps must be an array");
  Napi::Array list = wraps.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    Napi::Value item = list[i];
    if (!item.IsObject()) reject_argument(info.Env(), "each wrap must be an object");
    Napi::Object wrap = item.As<Napi::Object>();
    int64_t offset = integer_value(wrap.Get("offset"), "offset", 0, INT32_MAX);
    form.wraps.push_back({PublicKeyHandle::from(wrap.Get("publicKey"), "publicKey"), static_cast<size_t>(offset)});
  }
  return form;
}

EnvelopeTemplateHandle::EnvelopeTemplateHandle(const Napi::CallbackInfo& info)
    : TaggedWrap<EnvelopeTemplateHandle>(info) {
  auto form = std::make_shared<EnvelopeTemplate>(envelope_template_argument(info, 0));
  guarded(info.Env(), [&]() { form->validate(); });
  form_ = std::move(form);
  signer_ = KeptSigner::from(info[0].As<Napi::Object>().Get("signer"));
}

std::shared_ptr<const FileSigner> EnvelopeTemplateHandle::signer() const {
  return signer_ != nullptr ? signer_->for_file() : nullptr;
}

Napi::Value EnvelopeTemplateHandle::encrypt_file(const Napi::CallbackInfo& info) {
  auto form = form_;
  auto signer = this->signer();
  Bytes prelude = bytes_argument(info, 0, "prelude").copy();
  std::string input_path = path_argument(info, 1, "input");
  OutputOptions output_options = output_argument(info, 2);
  uint32_t segment_length = segment_length_argument(info, 3);
  Bytes refused_prefix = bytes_argument(info, 4, "refusedPrefix").copy();
  std::shared_ptr<JobControl> control = JobControlHandle::from(info[5]);
  return PromiseWork<FileJobResult>::run(
      info.Env(),
      [=]() {
        control->check();
        InputFile input(input_path);
        if (!refused_prefix.empty()) refuse_prefix(input, refused_prefix);
        AtomicFile output(output_options, &input);
        const StartedFile file = start_file(*form, signer, prelude, segment_length);
        return callseal::encrypt_file(input, output, file.header, file.message, *control, file.signature_or_null());
      },
      file_job_result);
}

namespace {

FloeEncryptorHandle::Shared start_body(const SecretKey& body_key, ByteView prelude, uint32_t segment_length,
                                       bool is_signed) {
  auto owned = std::make_unique<WrittenBody>(FloeMessage::create(body_key, prelude, segment_length), is_signed);
  owned->body.cipher().prepare(0);  // here, so that the first call need not
  return std::make_shared<const std::unique_ptr<WrittenBody>>(std::move(owned));
}

// Ends the header of a signed file with its opening block. `signer` may be null.
void sign_opening(std::shared_ptr<const FileSigner> signer, ByteView prelude, const WrittenBody& body, Bytes& header) {
  if (signer == nullptr) return;
  SignedFile made(std::move(signer), prelude, body.message.header_view());
  append(header, made.opening_block());
  body.signature->set(std::move(made));
}

}  // namespace

void SharedSignature::set(SignedFile made) {
  std::lock_guard<std::mutex> lock(mutex_);
  made_.emplace(std::move(made));
}

const SignedFile& SharedSignature::get() const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!made_.has_value()) throw Error(Code::kKeyUse, "the header of this file is not made yet");
  return *made_;
}

Napi::Value EnvelopeTemplateHandle::start(const Napi::CallbackInfo& info) {
  auto form = form_;
  auto signer = this->signer();
  Bytes prelude = bytes_argument(info, 0, "prelude").copy();
  uint32_t segment_length = segment_length_argument(info, 1);
  struct Started {
    Bytes header;
    FloeEncryptorHandle::Shared body;
  };
  return PromiseWork<Started>::run(
      info.Env(),
      [=]() {
        Envelope envelope = make_envelope(*form, prelude);
        FloeEncryptorHandle::Shared body = start_body(envelope.body_key, prelude, segment_length, signer != nullptr);
        sign_opening(signer, prelude, **body, envelope.header);
        return Started{std::move(envelope.header), std::move(body)};
      },
      [](Napi::Env env, Started& started) {
        Napi::Object result = Napi::Object::New(env);
        result["header"] = to_uint8_array(env, started.header);
        result["encryptor"] = FloeEncryptorHandle::wrap(env, started.body);
        return result;
      });
}

Napi::Value EnvelopeTemplateHandle::start_ahead(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto form = form_;
  auto signer = this->signer();
  Bytes prelude = bytes_argument(info, 0, "prelude").copy();
  uint32_t segment_length = segment_length_argument(info, 1);
  Napi::Object result = Napi::Object::New(env);
  FloeEncryptorHandle::Shared body;
  auto content = guarded(env, [&]() {
    auto made = std::make_shared<const SecretKey>(SecretKey::generate(KeyUse::kContent));
    SecretKey body_key = derive_body_key(*form, prelude, *made);
    body = start_body(body_key, prelude, segment_length, signer != nullptr);
    result["encryptor"] = FloeEncryptorHandle::wrap(env, body);
    return made;
  });
  result["header"] = PromiseWork<Bytes>::run(
      env,
      [=]() {
        Bytes header = make_header(*form, prelude, *content);
        sign_opening(signer, prelude, **body, header);
        return header;
      },
      [](Napi::Env current, Bytes& header) { return to_uint8_array(current, header); });
  return result;
}

Napi::Function FloeEncryptorHandle::define(Napi::Env env) {
  return DefineClass(env, kName,
                     {InstanceAccessor<&FloeEncryptorHandle::header>("header"),
                      InstanceAccessor<&FloeEncryptorHandle::plaintext_length>("plaintextLength"),
                      InstanceMethod<&FloeEncryptorHandle::encrypt>("encrypt"),
                      InstanceMethod<&FloeEncryptorHandle::closing>("closing")});
}

Napi::Value FloeEncryptorHandle::header(const Napi::CallbackInfo& info) {
  const auto& header = (*core())->message.header();
  return to_uint8_array(info.Env(), ByteView(header.data(), header.size()));
}

Napi::Value FloeEncryptorHandle::plaintext_length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>((*core())->message.plaintext_length()));
}

Napi::Value FloeEncryptorHandle::encrypt(const Napi::CallbackInfo& info) {
  Shared shared = core();
  ByteView held = bytes_argument(info, 0, "held");
  ByteView input = bytes_argument(info, 1, "input");
  bool last = boolean_argument(info, 2, "last");
  ByteSpan output = output_span_argument(info, 3, {held, input});
  FloeEffort effort = effort_argument(info, 4);
  size_t written = guarded(info.Env(), [&]() {
    return (*shared)->body.encrypt({held, input}, last, output.data, output.size, effort);
  });
  return Napi::Number::New(info.Env(), static_cast<double>(written));
}

Napi::Value FloeEncryptorHandle::closing(const Napi::CallbackInfo& info) {
  std::shared_ptr<SharedSignature> signature = (*core())->signature;
  if (signature == nullptr) {
    return PromiseWork<Bytes>::run(
        info.Env(), []() { return Bytes(); }, [](Napi::Env env, Bytes& none) { return to_uint8_array(env, none); });
  }
  // Now, as the body belongs to this thread.
  const BodySummary summary = guarded(info.Env(), [&]() { return (*core())->body.digest().summary(); });
  return PromiseWork<Bytes>::run(
      info.Env(), [=]() { return signature->get().closing_block(summary); },
      [](Napi::Env env, Bytes& block) { return to_uint8_array(env, block); });
}

Napi::Function FloeDecryptorHandle::define(Napi::Env env) {
  return DefineClass(env, kName,
                     {InstanceAccessor<&FloeDecryptorHandle::segment_length>("segmentLength"),
                      InstanceAccessor<&FloeDecryptorHandle::finished>("finished"),
                      InstanceMethod<&FloeDecryptorHandle::decrypt>("decrypt"),
                      InstanceMethod<&FloeDecryptorHandle::decrypt_segment_at>("decryptSegmentAt"),
                      InstanceMethod<&FloeDecryptorHandle::verify_closing>("verifyClosing")});
}

FloeDecryptorHandle::FloeDecryptorHandle(const Napi::CallbackInfo& info) : TaggedWrap<FloeDecryptorHandle>(info) {
  auto key = SecretKeyHandle::from(info[0], "key");
  ByteView aad = bytes_argument(info, 1, "aad");
  ByteView header = bytes_argument(info, 2, "header");
  if (std::optional<FileSignature> signature = optional_signature(info[3])) {
    signature_ = std::make_shared<const FileSignature>(std::move(*signature));
  }
  guarded(info.Env(), [&]() {
    owned_ = std::make_unique<OwnedFloeBody>(FloeMessage::open(*key, aad, header), signature_ != nullptr);
  });
}

Napi::Value FloeDecryptorHandle::segment_length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(owned_->message.segment_length()));
}

Napi::Value FloeDecryptorHandle::finished(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), owned_->body.finished());
}

Napi::Value FloeDecryptorHandle::decrypt(const Napi::CallbackInfo& info) {
  ByteView held = bytes_argument(info, 0, "held");
  ByteView input = bytes_argument(info, 1, "input");
  ByteSpan output = output_span_argument(info, 2, {held, input});
  FloeEffort effort = effort_argument(info, 3);
  size_t read = guarded(info.Env(), [&]() {
    return owned_->body.decrypt({held, input}, output.data, output.size, effort);
  });
  return Napi::Number::New(info.Env(), static_cast<double>(read));
}

Napi::Value FloeDecryptorHandle::decrypt_segment_at(const Napi::CallbackInfo& info) {
  auto index = static_cast<uint64_t>(integer_argument(info, 0, "index", 0, INT64_C(1) << 52));
  ByteView segment = bytes_argument(info, 1, "segment");
  bool final = boolean_argument(info, 2, "final");
  return guarded(info.Env(), [&]() {
    // The cipher refuses impossible lengths too, but only after the result's allocation.
    if (segment.size() < kFloeSegmentOverhead || segment.size() > owned_->message.segment_length()) {
      throw Error(Code::kTampered, "segment " + std::to_string(index) + " has an impossible length");
    }
    Napi::Uint8Array plaintext = Napi::Uint8Array::New(info.Env(), segment.size() - kFloeSegmentOverhead);
    owned_->body.cipher().decrypt(index, final, segment, plaintext.Data());
    return plaintext;
  });
}

Napi::Value FloeDecryptorHandle::verify_closing(const Napi::CallbackInfo& info) {
  Bytes block = bytes_argument(info, 0, "block").copy();
  std::shared_ptr<const FileSignature> signature = signature_;
  const BodySummary summary = guarded(info.Env(), [&]() { return owned_->body.digest().summary(); });
  return PromiseWork<bool>::run(
      info.Env(),
      [=]() {
        signature->verify_closing(block, summary);
        return true;
      },
      [](Napi::Env env, bool&) { return env.Undefined(); });
}

}  // namespace callseal::addon
