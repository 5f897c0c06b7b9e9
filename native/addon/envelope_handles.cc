#include "envelope_handles.h"

#include "async.h"
#include "file_arguments.h"
#include "key_handles.h"

namespace callseal::addon {

Napi::Function JobControlHandle::define(Napi::Env env) {
  return DefineClass(
      env, kName,
      {InstanceAccessor<&JobControlHandle::progress>("progress"), InstanceAccessor<&JobControlHandle::total>("total"),
       InstanceMethod<&JobControlHandle::cancel>("cancel")});
}

std::shared_ptr<JobControl> JobControlHandle::from(Napi::Value value) {
  if (value.IsNull()) return std::make_shared<JobControl>();
  return unwrap_argument(value, "control")->control_;
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
                      InstanceMethod<&EnvelopeTemplateHandle::encrypt_buffer>("encryptBuffer"),
                      InstanceMethod<&EnvelopeTemplateHandle::start>("start")});
}

EnvelopeTemplateHandle::EnvelopeTemplateHandle(const Napi::CallbackInfo& info)
    : TaggedWrap<EnvelopeTemplateHandle>(info) {
  Napi::Object init = object_argument(info, 0, "init");
  auto form = std::make_shared<EnvelopeTemplate>();
  form->recipients = bytes_value(init.Get("recipients"), "recipients").copy();
  form->body_label = bytes_value(init.Get("bodyLabel"), "bodyLabel").copy();
  form->mac_label = bytes_value(init.Get("macLabel"), "macLabel").copy();
  Napi::Value wraps = init.Get("wraps");
  if (!wraps.IsArray()) reject_argument(info.Env(), "wraps must be an array");
  Napi::Array list = wraps.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    Napi::Value item = list[i];
    if (!item.IsObject()) reject_argument(info.Env(), "each wrap must be an object");
    Napi::Object wrap = item.As<Napi::Object>();
    int64_t offset = integer_value(wrap.Get("offset"), "offset", 0, INT32_MAX);
    form->wraps.push_back({PublicKeyHandle::from(wrap.Get("publicKey"), "publicKey"), static_cast<size_t>(offset)});
  }
  guarded(info.Env(), [&]() { form->validate(); });
  form_ = std::move(form);
}

Napi::Value EnvelopeTemplateHandle::encrypt_file(const Napi::CallbackInfo& info) {
  auto form = form_;
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
        Envelope envelope = make_envelope(*form, prelude);
        FloeMessage message = FloeMessage::create(envelope.body_key, prelude, segment_length);
        return callseal::encrypt_file(input, output, envelope.header, message, *control);
      },
      file_job_result);
}

Napi::Value EnvelopeTemplateHandle::encrypt_buffer(const Napi::CallbackInfo& info) {
  auto form = form_;
  Napi::Env env = info.Env();
  Bytes prelude = bytes_argument(info, 0, "prelude").copy();
  ByteView plaintext = bytes_argument(info, 1, "input");
  uint32_t segment_length = segment_length_argument(info, 2);
  auto input = std::make_shared<const SecretBytes>(plaintext.begin(), plaintext.end());
  // The result is allocated here and filled on the pool thread, so that bulk bytes are written once.
  size_t header_length = prelude.size() + form->recipients.size() + SecretKey::kMacLength;
  size_t segments = static_cast<size_t>(floe_segment_count(input->size(), segment_length));
  size_t total = header_length + kFloeHeaderLength + input->size() + segments * kFloeSegmentOverhead;
  Napi::Uint8Array result = Napi::Uint8Array::New(env, total);
  uint8_t* out = result.Data();
  auto reference = std::make_shared<Napi::ObjectReference>(Napi::Persistent(result.As<Napi::Object>()));
  return PromiseWork<bool>::run(
      env,
      [=]() {
        Envelope envelope = make_envelope(*form, prelude);
        FloeMessage message = FloeMessage::create(envelope.body_key, prelude, segment_length);
        uint8_t* end = std::copy(envelope.header.begin(), envelope.header.end(), out);
        end = std::copy(message.header().begin(), message.header().end(), end);
        encrypt_floe_body(message, view(*input), end);
        return true;
      },
      [reference](Napi::Env, bool&) -> Napi::Value { return reference->Value(); });
}

Napi::Value EnvelopeTemplateHandle::start(const Napi::CallbackInfo& info) {
  auto form = form_;
  Bytes prelude = bytes_argument(info, 0, "prelude").copy();
  uint32_t segment_length = segment_length_argument(info, 1);
  struct Started {
    Bytes header;
    FloeEncryptorHandle::Shared writer;
  };
  return PromiseWork<Started>::run(
      info.Env(),
      [=]() {
        Envelope envelope = make_envelope(*form, prelude);
        auto writer = std::make_unique<FloeWriter>(FloeMessage::create(envelope.body_key, prelude, segment_length));
        return Started{std::move(envelope.header),
                       std::make_shared<const std::unique_ptr<FloeWriter>>(std::move(writer))};
      },
      [](Napi::Env env, Started& started) {
        Napi::Object result = Napi::Object::New(env);
        result["header"] = to_uint8_array(env, started.header);
        result["encryptor"] = FloeEncryptorHandle::wrap(env, started.writer);
        return result;
      });
}

Napi::Function FloeEncryptorHandle::define(Napi::Env env) {
  return DefineClass(env, kName,
                     {InstanceAccessor<&FloeEncryptorHandle::header>("header"),
                      InstanceAccessor<&FloeEncryptorHandle::plaintext_length>("plaintextLength"),
                      InstanceMethod<&FloeEncryptorHandle::encrypt_segment>("encryptSegment"),
                      InstanceMethod<&FloeEncryptorHandle::encrypt_final>("encryptFinal")});
}

Napi::Value FloeEncryptorHandle::header(const Napi::CallbackInfo& info) {
  const auto& header = (*core())->message.header();
  return to_uint8_array(info.Env(), ByteView(header.data(), header.size()));
}

Napi::Value FloeEncryptorHandle::plaintext_length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>((*core())->message.plaintext_length()));
}

Napi::Value FloeEncryptorHandle::encrypt(const Napi::CallbackInfo& info, bool final) {
  Shared shared = core();
  FloeWriter& writer = **shared;
  ByteView plaintext = bytes_argument(info, 0, "plaintext");
  return guarded(info.Env(), [&]() {
    if (writer.finished) throw Error(Code::kKeyUse, "the last segment was already written");
    if (plaintext.size() > writer.message.plaintext_length()) {
      throw Error(Code::kInvalidArgument,
                  "a segment carries at most " + std::to_string(writer.message.plaintext_length()) + " bytes");
    }
    Napi::Uint8Array segment = Napi::Uint8Array::New(info.Env(), plaintext.size() + kFloeSegmentOverhead);
    writer.cipher.encrypt(writer.next, final, plaintext, segment.Data());
    ++writer.next;
    writer.finished = final;
    return segment;
  });
}

Napi::Value FloeEncryptorHandle::encrypt_segment(const Napi::CallbackInfo& info) {
  return encrypt(info, false);
}

Napi::Value FloeEncryptorHandle::encrypt_final(const Napi::CallbackInfo& info) {
  return encrypt(info, true);
}

Napi::Function FloeDecryptorHandle::define(Napi::Env env) {
  return DefineClass(env, kName,
                     {InstanceAccessor<&FloeDecryptorHandle::segment_length>("segmentLength"),
                      InstanceMethod<&FloeDecryptorHandle::decrypt_segment>("decryptSegment"),
                      InstanceMethod<&FloeDecryptorHandle::decrypt_segment_at>("decryptSegmentAt")});
}

FloeDecryptorHandle::FloeDecryptorHandle(const Napi::CallbackInfo& info) : TaggedWrap<FloeDecryptorHandle>(info) {
  auto key = SecretKeyHandle::from(info[0], "key");
  ByteView aad = bytes_argument(info, 1, "aad");
  ByteView header = bytes_argument(info, 2, "header");
  guarded(info.Env(), [&]() {
    message_ = std::make_unique<FloeMessage>(FloeMessage::open(*key, aad, header));
    cipher_ = std::make_unique<FloeCipher>(*message_);
  });
}

Napi::Value FloeDecryptorHandle::segment_length(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(message_->segment_length()));
}

Napi::Value FloeDecryptorHandle::decrypt(Napi::Env env, uint64_t index, ByteView segment, bool final) {
  return guarded(env, [&]() {
    // The cipher refuses impossible lengths too, but only after the result's allocation.
    if (segment.size() < kFloeSegmentOverhead || segment.size() > message_->segment_length()) {
      throw Error(Code::kTampered, "segment " + std::to_string(index) + " has an impossible length");
    }
    Napi::Uint8Array plaintext = Napi::Uint8Array::New(env, segment.size() - kFloeSegmentOverhead);
    cipher_->decrypt(index, final, segment, plaintext.Data());
    return plaintext;
  });
}

Napi::Value FloeDecryptorHandle::decrypt_segment(const Napi::CallbackInfo& info) {
  Napi::Value plaintext =
      decrypt(info.Env(), next_, bytes_argument(info, 0, "segment"), boolean_argument(info, 1, "final"));
  ++next_;
  return plaintext;
}

Napi::Value FloeDecryptorHandle::decrypt_segment_at(const Napi::CallbackInfo& info) {
  int64_t index = integer_argument(info, 0, "index", 0, INT64_C(1) << 52);
  return decrypt(info.Env(), static_cast<uint64_t>(index), bytes_argument(info, 1, "segment"),
                 boolean_argument(info, 2, "final"));
}

}  // namespace callseal::addon
