// EnvelopeTemplate, the FLOE segment ciphers and JobControl as JavaScript sees them.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "envelope.h"
#include "floe_body.h"
#include "handle.h"
#include "job_control.h"
#include "signature_arguments.h"

namespace callseal::addon {

class JobControlHandle : public TaggedWrap<JobControlHandle> {
 public:
  static constexpr char kName[] = "JobControl";
  static constexpr napi_type_tag kTag{0x2ff431121e8a7c3b, 0x3ce6586ba9d5041f};
  explicit JobControlHandle(const Napi::CallbackInfo& info)
      : TaggedWrap<JobControlHandle>(info), control_(make(info.Env())) {}
  static Napi::Function define(Napi::Env env);
  // One that nobody else has for null; ERR_INVALID_ARGUMENT for anything that is not one.
  static std::shared_ptr<JobControl> from(Napi::Value value);

 private:
  static std::shared_ptr<JobControl> make(Napi::Env env);
  Napi::Value progress(const Napi::CallbackInfo& info);
  Napi::Value total(const Napi::CallbackInfo& info);
  void cancel(const Napi::CallbackInfo& info);
  std::shared_ptr<JobControl> control_;
};

// EnvelopeTemplateInit of lib/native/binding.ts, its holes not validated.
EnvelopeTemplate envelope_template_argument(const Napi::CallbackInfo& info, size_t index);

class EnvelopeTemplateHandle : public TaggedWrap<EnvelopeTemplateHandle> {
 public:
  static constexpr char kName[] = "EnvelopeTemplate";
  static constexpr napi_type_tag kTag{0xd5ab190717abef91, 0x2dcf62ff95368a79};
  explicit EnvelopeTemplateHandle(const Napi::CallbackInfo& info);
  static Napi::Function define(Napi::Env env);
  // What jobs make files of.
  struct Parts {
    std::shared_ptr<const EnvelopeTemplate> form;
    std::shared_ptr<const FileSigner> signer;  // null for files without a signature
  };
  // ERR_INVALID_ARGUMENT for anything that is not one; ERR_KEY_USE when the signer's key was destroyed.
  static Parts from(Napi::Value value, const char* name) {
    const EnvelopeTemplateHandle* handle = unwrap_argument(value, name);
    return {handle->form_, handle->signer()};
  }

 private:
  Napi::Value encrypt_file(const Napi::CallbackInfo& info);
  Napi::Value start(const Napi::CallbackInfo& info);
  Napi::Value start_ahead(const Napi::CallbackInfo& info);
  std::shared_ptr<const FileSigner> signer() const;

  std::shared_ptr<const EnvelopeTemplate> form_;
  std::unique_ptr<KeptSigner> signer_;  // null for files without a signature
};

// A message and its segments; `digested` as in FloeBody.
struct OwnedFloeBody {
  explicit OwnedFloeBody(FloeMessage made, bool digested = false) : message(std::move(made)), body(message, digested) {}
  const FloeMessage message;
  FloeBody body;
};

// The signature of a file that is begun: set on a pool thread, read on another.
class SharedSignature {
 public:
  void set(SignedFile made);
  // kKeyUse before the opening block was made.
  const SignedFile& get() const;

 private:
  mutable std::mutex mutex_;
  std::optional<const SignedFile> made_;
};

// A body being written; `signature` is null for files without one.
struct WrittenBody : OwnedFloeBody {
  WrittenBody(FloeMessage made, bool is_signed)
      : OwnedFloeBody(std::move(made), is_signed),
        signature(is_signed ? std::make_shared<SharedSignature>() : nullptr) {}
  const std::shared_ptr<SharedSignature> signature;
};

class FloeEncryptorHandle : public Handle<FloeEncryptorHandle, std::unique_ptr<WrittenBody>> {
 public:
  static constexpr char kName[] = "FloeEncryptor";
  static constexpr napi_type_tag kTag{0xa498363316d693a9, 0x0bdffee19890d292};
  using Handle::Handle;
  static Napi::FunctionReference& constructor(Napi::Env env) { return Environment::of(env).floe_encryptor; }
  static Napi::Function define(Napi::Env env);

 private:
  Napi::Value header(const Napi::CallbackInfo& info);
  Napi::Value plaintext_length(const Napi::CallbackInfo& info);
  Napi::Value encrypt(const Napi::CallbackInfo& info);
  Napi::Value closing(const Napi::CallbackInfo& info);
};

class FloeDecryptorHandle : public TaggedWrap<FloeDecryptorHandle> {
 public:
  static constexpr char kName[] = "FloeDecryptor";
  static constexpr napi_type_tag kTag{0x91478ec16f2c0d76, 0xe890614a11d838a3};
  explicit FloeDecryptorHandle(const Napi::CallbackInfo& info);
  static Napi::Function define(Napi::Env env);

 private:
  Napi::Value segment_length(const Napi::CallbackInfo& info);
  Napi::Value finished(const Napi::CallbackInfo& info);
  Napi::Value decrypt(const Napi::CallbackInfo& info);
  Napi::Value decrypt_segment_at(const Napi::CallbackInfo& info);
  Napi::Value verify_closing(const Napi::CallbackInfo& info);

  std::unique_ptr<OwnedFloeBody> owned_;
  std::shared_ptr<const FileSignature> signature_;  // null for files without one
};

}  // namespace callseal::addon
