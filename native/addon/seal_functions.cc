#include "seal_functions.h"

#include "async.h"
#include "envelope_handles.h"
#include "file_arguments.h"
#include "file_lock.h"
#include "leftovers.h"
#include "seal_job.h"
#include "service_notify.h"
#include "started_file.h"

namespace callseal::addon {
namespace {

// A year: whoever wants to wait longer means never.
constexpr double kMostMilliseconds = 365.0 * 86'400'000;
constexpr double kMostBytes = 9007199254740991;

int64_t big_member(Napi::Object object, const char* name) {
  Napi::Value value = object.Get(name);
  if (!value.IsBigInt()) reject_argument(object.Env(), std::string("observed.") + name + " must be a bigint");
  bool lossless = false;
  // Inodes have 64 bits; what does not fit equals no file's.
  return value.As<Napi::BigInt>().Int64Value(&lossless);
}

double number_member(Napi::Object object, const char* name, double most) {
  Napi::Value value = object.Get(name);
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= most))
    reject_argument(object.Env(), std::string(name) + " must be a number in its range");
  return number;
}

std::optional<FileStamp> observed_member(Napi::Object request) {
  Napi::Value value = request.Get("observed");
  if (value.IsNull()) return std::nullopt;
  if (!value.IsObject()) reject_argument(request.Env(), "observed must be an object or null");
  Napi::Object stamp = value.As<Napi::Object>();
  return FileStamp{static_cast<uint64_t>(big_member(stamp, "ino")), static_cast<uint64_t>(big_member(stamp, "size")),
                   big_member(stamp, "mtimeNs"), big_member(stamp, "ctimeNs")};
}

std::string root_member(Napi::Object request, const char* name) {
  Napi::Value value = request.Get(name);
  return value.IsNull() ? std::string() : path_value(value, name);
}

SealRequest request_argument(const Napi::CallbackInfo& info, size_t index) {
  Napi::Object object = object_argument(info, index, "request");
  SealRequest request;
  request.input = path_value(object.Get("input"), "input");
  request.output = path_value(object.Get("output"), "output");
  request.input_root = root_member(object, "inputRoot");
  request.output_root = root_member(object, "outputRoot");
  Napi::Value lease = object.Get("requireLease");
  if (!lease.IsBoolean()) reject_argument(info.Env(), "requireLease must be true or false");
  request.require_lease = lease.As<Napi::Boolean>().Value();
  request.quiet_for = static_cast<int64_t>(number_member(object, "quietFor", kMostMilliseconds) * 1e6);
  request.observed = observed_member(object);
  return request;
}

Napi::Value seal_result(Napi::Env env, SealResult& result) {
  Napi::Object object = file_job_result(env, result).As<Napi::Object>();
  object["leased"] = Napi::Boolean::New(env, result.leased);
  return object;
}

Napi::Value seal(const Napi::CallbackInfo& info) {
  auto parts = EnvelopeTemplateHandle::from(info[0], "template");
  Bytes prelude = bytes_argument(info, 1, "prelude").copy();
  SealRequest request = request_argument(info, 2);
  uint32_t segment_length = segment_length_argument(info, 3);
  Bytes refused_prefix = bytes_argument(info, 4, "refusedPrefix").copy();
  std::shared_ptr<JobControl> control = JobControlHandle::from(info[5]);
  return PromiseWork<SealResult>::run(
      info.Env(),
      [=]() {
        control->check();
        SealSource source(request);
        if (!refused_prefix.empty()) refuse_prefix(source.file(), refused_prefix);
        AtomicFile output({request.output, false, true, request.output_root}, &source.file());
        const StartedFile file = start_file(*parts.form, parts.signer, prelude, segment_length);
        return seal_file(source, output, file.header, file.message, *control, file.signature_or_null());
      },
      seal_result);
}

Napi::Value finish(const Napi::CallbackInfo& info) {
  SealRequest request = request_argument(info, 0);
  Napi::Object object = object_argument(info, 1, "found");
  const FileJobResult found{static_cast<uint64_t>(number_member(object, "inputBytes", kMostBytes)),
                            static_cast<uint64_t>(number_member(object, "outputBytes", kMostBytes))};
  return PromiseWork<SealResult>::run(
      info.Env(), [=]() { return finish_sealing(request, found); }, seal_result);
}

Napi::Value clean(const Napi::CallbackInfo& info) {
  std::string path = path_argument(info, 0, "directory");
  return PromiseWork<Cleaned>::run(
      info.Env(), [=]() { return clean_directory(path); },
      [](Napi::Env env, Cleaned& cleaned) {
        Napi::Object object = Napi::Object::New(env);
        object["removed"] = Napi::Number::New(env, static_cast<double>(cleaned.removed));
        object["restored"] = Napi::Number::New(env, static_cast<double>(cleaned.restored));
        return object;
      });
}

Napi::Value lock(const Napi::CallbackInfo& info) {
  const int fd = static_cast<int>(integer_argument(info, 0, "descriptor", 0, INT32_MAX));
  return Napi::Boolean::New(info.Env(), lock_file(fd) != LockOutcome::kTaken);
}

Napi::Value notify(const Napi::CallbackInfo& info) {
  std::string state = string_argument(info, 0, "state");
  return Napi::Boolean::New(info.Env(), guarded(info.Env(), [&]() { return notify_service(state); }));
}

}  // namespace

void add_seal_functions(Napi::Env env, Napi::Object exports) {
  exports["sealFile"] = Napi::Function::New(env, seal);
  exports["finishSealing"] = Napi::Function::New(env, finish);
  exports["cleanDirectory"] = Napi::Function::New(env, clean);
  exports["lockFile"] = Napi::Function::New(env, lock);
  exports["notifyService"] = Napi::Function::New(env, notify);
}

}  // namespace callseal::addon
