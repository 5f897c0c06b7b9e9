// The module's entry: proves isolation before anything else, then offers what lib/native/binding.ts describes.
#include <napi.h>
#include <openssl/rand.h>

#include "async.h"
#include "certificate.h"
#include "cms_handles.h"
#include "digest.h"
#include "envelope_handles.h"
#include "hierarchy_handles.h"
#include "input_handle.h"
#include "isolation.h"
#include "key_bytes_function.h"
#include "key_handles.h"
#include "memory.h"
#include "module.h"
#include "process_functions.h"
#include "rewrap_functions.h"
#include "seal_functions.h"
#include "signature_arguments.h"
#include "token_handles.h"
#ifdef CALLSEAL_TEST_HOOKS
#include "test_hooks.h"
#endif

namespace callseal::addon {
namespace {

ModuleOptions module_options(Napi::Object options) {
  ModuleOptions module;
  std::string mode = string_value(options.Get("mode"), "mode");
  if (mode != "required" && mode != "off") reject_argument(options.Env(), "mode must be required or off");
  module.mode = mode == "off" ? FipsMode::kOff : FipsMode::kRequired;
  if (module.mode == FipsMode::kRequired) {
    module.module_path = string_value(options.Get("modulePath"), "modulePath");
    module.module_config = string_value(options.Get("moduleConfig"), "moduleConfig");
  }
  return module;
}

Napi::Value initialise(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Napi::Object options = object_argument(info, 0, "options");
  Napi::Value error_class = options.Get("errorClass");
  if (!error_class.IsFunction()) reject_argument(env, "errorClass must be a class");
  Napi::FunctionReference& slot = Environment::of(env).error_class;
  if (slot.IsEmpty()) slot = Napi::Persistent(error_class.As<Napi::Function>());
  ModuleOptions module = module_options(options);
  guarded(env, [&]() { Module::initialise(module); });
  return env.Undefined();
}

// What goes wrong is told by `initialise`, which tries again.
Napi::Value initialise_ahead(const Napi::CallbackInfo& info) {
  ModuleOptions module = module_options(object_argument(info, 0, "options"));
  return PromiseWork<bool>::run(
      info.Env(),
      [=]() {
        try {
          Module::initialise(module);
        } catch (const std::exception&) {
        }
        return true;
      },
      [](Napi::Env env, bool&) { return env.Undefined(); });
}

Napi::Object describe_provider(Napi::Env env, const ModuleStatus& status) {
  Napi::Object provider = Napi::Object::New(env);
  provider["name"] = status.provider_name;
  provider["version"] = status.provider_version;
  provider["buildInfo"] = status.provider_build_info;
  provider["path"] = status.provider_path;
  provider["sha256"] = status.provider_sha256;
  provider["running"] = Napi::Boolean::New(env, status.provider_running);
  provider["selfTest"] = Napi::Boolean::New(env, status.provider_self_test);
  return provider;
}

Napi::Array describe_algorithms(Napi::Env env, const ModuleStatus& status) {
  Napi::Array algorithms = Napi::Array::New(env);
  for (const AlgorithmStatus& row : status.algorithms) {
    Napi::Object algorithm = Napi::Object::New(env);
    algorithm["name"] = row.name;
    algorithm["operation"] = row.operation;
    if (row.provider.empty()) {
      algorithm["provider"] = env.Null();
    } else {
      algorithm["provider"] = row.provider;
    }
    if (row.indicator < 0) {
      algorithm["indicator"] = env.Null();
    } else {
      algorithm["indicator"] = Napi::Number::New(env, row.indicator);
    }
    algorithms[algorithms.Length()] = algorithm;
  }
  return algorithms;
}

Napi::Value status(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  ModuleStatus found = guarded(env, []() { return Module::get().status(); });
  Napi::Object isolation = Napi::Object::New(env);
  isolation["addonResolvesTo"] = found.addon_resolves_to;
  isolation["libcryptoResolvesTo"] = found.libcrypto_resolves_to;
  Napi::Object libcrypto = Napi::Object::New(env);
  libcrypto["path"] = found.libcrypto_path;
  libcrypto["version"] = found.libcrypto_version;
  Napi::Object result = Napi::Object::New(env);
  result["mode"] = found.mode == FipsMode::kOff ? "off" : "required";
  result["isolation"] = isolation;
  result["libcrypto"] = libcrypto;
  result["provider"] = describe_provider(env, found);
  result["algorithms"] = describe_algorithms(env, found);
  return result;
}

Napi::Value random_bytes(const Napi::CallbackInfo& info) {
  size_t length = static_cast<size_t>(integer_argument(info, 0, "length", 0, 65536));
  Napi::Uint8Array bytes = Napi::Uint8Array::New(info.Env(), length);
  guarded(info.Env(), [&]() {
    bool ok = length == 0 || RAND_bytes_ex(Module::get().context(), bytes.Data(), length, 256) == 1;
    require_openssl(ok, "drawing random bytes");
  });
  return bytes;
}

Napi::Value prefer_huge(const Napi::CallbackInfo& info) {
  ByteSpan bytes = span_argument(info, 0, "bytes");
  prefer_huge_pages(bytes.data, bytes.size);
  return info.Env().Undefined();
}

Napi::Value keep_memory(const Napi::CallbackInfo& info) {
  keep_freed_memory();
  return info.Env().Undefined();
}

Napi::Value cancel_jobs(const Napi::CallbackInfo& info) {
  if (boolean_argument(info, 0, "ofProcess")) {
    RunningJobs::cancel_process();
  } else {
    Environment::of(info.Env()).jobs.cancel_all();
  }
  return info.Env().Undefined();
}

Napi::Value sha256_of(const Napi::CallbackInfo& info) {
  ByteView bytes = bytes_argument(info, 0, "bytes");
  Sha256 digest = guarded(info.Env(), [&]() { return sha256(bytes); });
  return to_uint8_array(info.Env(), ByteView(digest.data(), digest.size()));
}

Napi::Value describe_certificate(Napi::Env env, const CertificateInfo& certificate) {
  Napi::Object object = Napi::Object::New(env);
  object["subject"] = certificate.subject;
  object["issuer"] = certificate.issuer;
  object["serial"] = to_uint8_array(env, certificate.serial);
  object["notBefore"] = Napi::Number::New(env, static_cast<double>(certificate.not_before));
  object["notAfter"] = Napi::Number::New(env, static_cast<double>(certificate.not_after));
  object["sha256"] = to_uint8_array(env, ByteView(certificate.sha256.data(), certificate.sha256.size()));
  object["signatureAlgorithm"] = certificate.signature_algorithm;
  object["issuerAndSerial"] = to_uint8_array(env, certificate.issuer_and_serial);
  return object;
}

Napi::Value read_recipients(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  ByteView bytes = bytes_argument(info, 0, "bytes");
  std::vector<RecipientEntry> entries = guarded(env, [&]() { return callseal::read_recipients(bytes); });
  Napi::Array result = Napi::Array::New(env, entries.size());
  for (uint32_t i = 0; i < entries.size(); ++i) {
    const RecipientEntry& entry = entries[i];
    Napi::Object object = Napi::Object::New(env);
    object["kind"] = entry.certificate.has_value() ? "certificate" : "public-key";
    object["publicKey"] = PublicKeyHandle::wrap(env, entry.public_key);
    object["certificate"] = entry.certificate.has_value() ? describe_certificate(env, *entry.certificate) : env.Null();
    result[i] = object;
  }
  return result;
}

X509Subject subject_argument(const Napi::CallbackInfo& info, size_t index) {
  X509Subject subject;
  if (!info[index].IsArray()) reject_argument(info.Env(), "subject must be an array of pairs");
  Napi::Array pairs = info[index].As<Napi::Array>();
  for (uint32_t i = 0; i < pairs.Length(); ++i) {
    Napi::Value item = pairs[i];
    if (!item.IsArray() || item.As<Napi::Array>().Length() != 2) {
      reject_argument(info.Env(), "each part of the subject must be a pair of type and value");
    }
    Napi::Array pair = item.As<Napi::Array>();
    subject.emplace_back(string_value(pair.Get(uint32_t{0}), "type"), string_value(pair.Get(uint32_t{1}), "value"));
  }
  return subject;
}

Napi::Value to_string(Napi::Env env, std::string& text) {
  return Napi::String::New(env, text);
}

Napi::Value create_certificate(const Napi::CallbackInfo& info) {
  auto key = PrivateKeyHandle::from(info[0], "key");
  X509Subject subject = subject_argument(info, 1);
  int days = static_cast<int>(integer_argument(info, 2, "days", 1, 36500));
  return PromiseWork<std::string>::run(
      info.Env(), [=]() { return callseal::create_certificate(*key, subject, days); }, to_string);
}

Napi::Value create_request(const Napi::CallbackInfo& info) {
  auto key = PrivateKeyHandle::from(info[0], "key");
  X509Subject subject = subject_argument(info, 1);
  return PromiseWork<std::string>::run(
      info.Env(), [=]() { return callseal::create_request(*key, subject); }, to_string);
}

Napi::Value check_subject(const Napi::CallbackInfo& info) {
  X509Subject subject = subject_argument(info, 0);
  guarded(info.Env(), [&]() { callseal::check_subject(subject); });
  return info.Env().Undefined();
}

Napi::Value open_envelope(const Napi::CallbackInfo& info) {
  auto key = PrivateKeyHandle::from(info[0], "key");
  SealedEnvelope sealed = sealed_envelope_argument(info, 1);
  return PromiseWork<SecretKeyHandle::Shared>::run(
      info.Env(), [=]() { return std::make_shared<const SecretKey>(callseal::open_envelope(*key, sealed)); },
      [](Napi::Env env, auto& body_key) { return SecretKeyHandle::wrap(env, body_key); });
}

template <typename HandleClass>
void define_class(Napi::Env env, Napi::Object exports, Napi::FunctionReference& slot, const char* name) {
  Napi::Function constructor = HandleClass::define(env);
  slot = Napi::Persistent(constructor);
  exports[name] = constructor;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  guarded(env, []() { prove_isolation(); });
  env.SetInstanceData(new Environment(env));
  Environment& environment = Environment::of(env);
  define_class<PassphraseHandle>(env, exports, environment.passphrase, "Passphrase");
  define_class<SecretKeyHandle>(env, exports, environment.secret_key, "SecretKey");
  define_class<PublicKeyHandle>(env, exports, environment.public_key, "PublicKey");
  define_class<PrivateKeyHandle>(env, exports, environment.private_key, "PrivateKey");
  define_class<MasterKeyHandle>(env, exports, environment.master_key, "MasterKey");
  define_class<WorkingKeyHandle>(env, exports, environment.working_key, "WorkingKey");
  define_class<FloeEncryptorHandle>(env, exports, environment.floe_encryptor, "FloeEncryptor");
  define_class<InputFileHandle>(env, exports, environment.input_file, "InputFile");
  define_class<CmsInputHandle>(env, exports, environment.cms_input, "CmsInput");
  exports["Token"] = make_token_functions(env);
  exports["JobControl"] = JobControlHandle::define(env);
  exports["EnvelopeTemplate"] = EnvelopeTemplateHandle::define(env);
  exports["FloeDecryptor"] = FloeDecryptorHandle::define(env);
  exports["initialise"] = Napi::Function::New(env, initialise);
  exports["initialiseAhead"] = Napi::Function::New(env, initialise_ahead);
  exports["status"] = Napi::Function::New(env, status);
  exports["randomBytes"] = Napi::Function::New(env, random_bytes);
  exports["preferHugePages"] = Napi::Function::New(env, prefer_huge);
  exports["keepFreedMemory"] = Napi::Function::New(env, keep_memory);
  exports["cancelJobs"] = Napi::Function::New(env, cancel_jobs);
  exports["sha256"] = Napi::Function::New(env, sha256_of);
  exports["readRecipients"] = Napi::Function::New(env, read_recipients);
  exports["createCertificate"] = Napi::Function::New(env, create_certificate);
  exports["checkSubject"] = Napi::Function::New(env, check_subject);
  exports["createRequest"] = Napi::Function::New(env, create_request);
  exports["openEnvelope"] = Napi::Function::New(env, open_envelope);
  exports["exportCms"] = Napi::Function::New(env, export_cms_file);
  add_seal_functions(env, exports);
  define_process_functions(env, exports);
  define_rewrap_functions(env, exports);
  define_key_bytes_function(env, exports);
  exports["verifyOpening"] = Napi::Function::New(env, verify_opening);
#ifdef CALLSEAL_TEST_HOOKS
  exports["testing"] = make_test_hooks(env);
#endif
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, init)

}  // namespace callseal::addon
