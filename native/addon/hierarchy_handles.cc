#include "hierarchy_handles.h"

namespace callseal::addon {
namespace {

constexpr int64_t kMaxHeader = 1 << 20;

Napi::Value cipher_name(Napi::Env env, CipherKind cipher) {
  return Napi::String::New(env, cipher == CipherKind::kAes256 ? "aes" : "3des");
}

Napi::Value master_key_generate(const Napi::CallbackInfo& info) {
  CipherKind cipher = cipher_argument(info, 0);
  ByteView context = bytes_argument(info, 1, "context");
  return guarded(info.Env(), [&]() {
    return MasterKeyHandle::wrap(info.Env(), std::make_shared<const MasterKey>(MasterKey::generate(cipher, context)));
  });
}

size_t header_length_argument(const Napi::CallbackInfo& info, size_t index) {
  return static_cast<size_t>(integer_argument(info, index, "headerLength", 0, kMaxHeader));
}

struct Ends {
  const uint32_t* data;
  size_t count;
};

Ends ends_value(Napi::Value value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array) {
    reject_argument(value.Env(), std::string(name) + " must be a Uint32Array");
  }
  Napi::Uint32Array array = value.As<Napi::Uint32Array>();
  if (!array.ArrayBuffer().IsArrayBuffer()) {
    reject_argument(value.Env(), std::string(name) + " must not be shared memory");
  }
  return {array.Data(), array.ElementLength()};
}

// The arguments (header, batch) of a call. All members are read before any of their bytes is looked at: a getter may
// take away the memory of another.
struct BatchArguments {
  explicit BatchArguments(const Napi::CallbackInfo& info)
      : object(object_argument(info, 1, "batch")),
        data(object.Get("data")),
        data_ends(object.Get("dataEnds")),
        entities(object.Get("entities")),
        entity_ends(object.Get("entityEnds")),
        header(bytes_argument(info, 0, "header")) {}

  RecordBatch batch() const {
    return RecordBatch(packed(data, "data", data_ends, "dataEnds"),
                       packed(entities, "entities", entity_ends, "entityEnds"));
  }

  Napi::Object object;
  Napi::Value data, data_ends, entities, entity_ends;
  ByteView header;

 private:
  static PackedItems packed(Napi::Value bytes, const char* name, Napi::Value ends, const char* ends_name) {
    ByteView view = bytes_value(bytes, name);
    Ends offsets = ends_value(ends, ends_name);
    return PackedItems(name, view, offsets.data, offsets.count);
  }
};

Napi::Object batch_result(Napi::Env env, Napi::Value data, Napi::Value ends) {
  Napi::Object result = Napi::Object::New(env);
  result["data"] = data;
  result["ends"] = ends;
  return result;
}

}  // namespace

CipherKind cipher_argument(const Napi::CallbackInfo& info, size_t index) {
  std::string name = string_argument(info, index, "cipher");
  if (name == "aes") return CipherKind::kAes256;
  if (name == "3des") return CipherKind::kTripleDes;
  reject_argument(info.Env(), "cipher must be aes or 3des");
}

HashKind hash_argument(const Napi::CallbackInfo& info, size_t index) {
  std::string name = string_argument(info, index, "hash");
  if (name == "sha256") return HashKind::kSha256;
  if (name == "sha1") return HashKind::kSha1;
  reject_argument(info.Env(), "hash must be sha256 or sha1");
}

Napi::Function MasterKeyHandle::define(Napi::Env env) {
  Napi::Function function = DefineClass(
      env, kName,
      {InstanceAccessor<&MasterKeyHandle::cipher>("cipher"), InstanceMethod<&MasterKeyHandle::mac_row>("macRow"),
       InstanceMethod<&MasterKeyHandle::verify_row>("verifyRow"),
       InstanceMethod<&MasterKeyHandle::create_working_key>("createWorkingKey"),
       InstanceMethod<&MasterKeyHandle::open_working_key>("openWorkingKey"),
       InstanceMethod("destroy", &MasterKeyHandle::destroy)});
  function["generate"] = Napi::Function::New(env, master_key_generate);
  return function;
}

Napi::Value MasterKeyHandle::cipher(const Napi::CallbackInfo& info) {
  return cipher_name(info.Env(), core()->cipher());
}

Napi::Value MasterKeyHandle::mac_row(const Napi::CallbackInfo& info) {
  Shared key = core();
  ByteView row = bytes_argument(info, 0, "row");
  uint8_t mac[MasterKey::kMacLength];
  guarded(info.Env(), [&]() { key->mac_row(row, mac); });
  return to_uint8_array(info.Env(), mac);
}

Napi::Value MasterKeyHandle::verify_row(const Napi::CallbackInfo& info) {
  Shared key = core();
  ByteView row = bytes_argument(info, 0, "row");
  ByteView mac = bytes_argument(info, 1, "mac");
  return Napi::Boolean::New(info.Env(), guarded(info.Env(), [&]() { return key->verify_row(row, mac); }));
}

Napi::Value MasterKeyHandle::create_working_key(const Napi::CallbackInfo& info) {
  Shared key = core();
  CipherKind cipher = cipher_argument(info, 0);
  HashKind hash = hash_argument(info, 1);
  return guarded(info.Env(), [&]() {
    CreatedWorkingKey created = key->create_working_key(cipher, hash);
    Napi::Object result = Napi::Object::New(info.Env());
    result["key"] = WorkingKeyHandle::wrap(info.Env(), std::move(created.key));
    result["wrapped"] = to_uint8_array(info.Env(), created.wrapped);
    return result;
  });
}

Napi::Value MasterKeyHandle::open_working_key(const Napi::CallbackInfo& info) {
  Shared key = core();
  CipherKind cipher = cipher_argument(info, 0);
  HashKind hash = hash_argument(info, 1);
  ByteView row = bytes_argument(info, 2, "row");
  ByteView mac = bytes_argument(info, 3, "mac");
  ByteView wrapped = bytes_argument(info, 4, "wrapped");
  return guarded(info.Env(), [&]() {
    return WorkingKeyHandle::wrap(info.Env(), key->open_working_key(cipher, hash, row, mac, wrapped));
  });
}

Napi::Function WorkingKeyHandle::define(Napi::Env env) {
  return DefineClass(
      env, kName,
      {InstanceAccessor<&WorkingKeyHandle::cipher>("cipher"), InstanceAccessor<&WorkingKeyHandle::hash>("hash"),
       InstanceAccessor<&WorkingKeyHandle::overhead>("overhead"), InstanceMethod<&WorkingKeyHandle::protect>("protect"),
       InstanceMethod<&WorkingKeyHandle::unprotect>("unprotect"),
       InstanceMethod<&WorkingKeyHandle::protect_many>("protectMany"),
       InstanceMethod<&WorkingKeyHandle::unprotect_many>("unprotectMany"),
       InstanceMethod<&WorkingKeyHandle::rebind>("rebind"), InstanceMethod<&WorkingKeyHandle::reencrypt>("reencrypt"),
       InstanceMethod("destroy", &WorkingKeyHandle::destroy)});
}

Napi::Value WorkingKeyHandle::cipher(const Napi::CallbackInfo& info) {
  return cipher_name(info.Env(), core()->cipher());
}

Napi::Value WorkingKeyHandle::hash(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), core()->hash() == HashKind::kSha256 ? "sha256" : "sha1");
}

Napi::Value WorkingKeyHandle::overhead(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(core()->overhead()));
}

Napi::Value WorkingKeyHandle::protect(const Napi::CallbackInfo& info) {
  Shared key = core();
  ByteView header = bytes_argument(info, 0, "header");
  ByteView entity = bytes_argument(info, 1, "entity");
  ByteView plaintext = bytes_argument(info, 2, "plaintext");
  return guarded(info.Env(), [&]() {
    Napi::Uint8Array record = Napi::Uint8Array::New(info.Env(), record_length(*key, header.size(), plaintext.size()));
    protect_record(*key, header, entity, plaintext, record.Data());
    return record;
  });
}

Napi::Value WorkingKeyHandle::unprotect(const Napi::CallbackInfo& info) {
  Shared key = core();
  ByteView record = bytes_argument(info, 0, "record");
  size_t header_length = header_length_argument(info, 1);
  ByteView entity = bytes_argument(info, 2, "entity");
  return guarded(info.Env(), [&]() {
    Napi::ArrayBuffer buffer =
        Napi::ArrayBuffer::New(info.Env(), max_plaintext_length(*key, record.size(), header_length));
    size_t length = unprotect_record(*key, record, header_length, entity, static_cast<uint8_t*>(buffer.Data()));
    return Napi::Uint8Array::New(info.Env(), length, buffer, 0);
  });
}

Napi::Value WorkingKeyHandle::protect_many(const Napi::CallbackInfo& info) {
  Shared key = core();
  BatchArguments arguments(info);
  return guarded(info.Env(), [&]() {
    RecordBatch batch = arguments.batch();
    ByteView header = arguments.header;
    Napi::Uint8Array records = Napi::Uint8Array::New(info.Env(), batch_record_length(*key, header.size(), batch));
    Napi::Uint32Array ends = Napi::Uint32Array::New(info.Env(), batch.items.count());
    protect_batch(*key, header, batch, records.Data(), ends.Data());
    return batch_result(info.Env(), records, ends);
  });
}

Napi::Value WorkingKeyHandle::unprotect_many(const Napi::CallbackInfo& info) {
  Shared key = core();
  BatchArguments arguments(info);
  return guarded(info.Env(), [&]() {
    RecordBatch batch = arguments.batch();
    ByteView header = arguments.header;
    Napi::ArrayBuffer buffer =
        Napi::ArrayBuffer::New(info.Env(), batch_max_plaintext_length(*key, header.size(), batch));
    Napi::Uint32Array ends = Napi::Uint32Array::New(info.Env(), batch.items.count());
    size_t length = unprotect_batch(*key, header, batch, static_cast<uint8_t*>(buffer.Data()), ends.Data());
    return batch_result(info.Env(), Napi::Uint8Array::New(info.Env(), length, buffer, 0), ends);
  });
}

Napi::Value WorkingKeyHandle::rebind(const Napi::CallbackInfo& info) {
  Shared key = core();
  ByteView record = bytes_argument(info, 0, "record");
  size_t header_length = header_length_argument(info, 1);
  ByteView from = bytes_argument(info, 2, "from");
  ByteView to = bytes_argument(info, 3, "to");
  return guarded(info.Env(),
                 [&]() { return to_uint8_array(info.Env(), rebind_record(*key, record, header_length, from, to)); });
}

Napi::Value WorkingKeyHandle::reencrypt(const Napi::CallbackInfo& info) {
  Shared key = core();
  ByteView record = bytes_argument(info, 0, "record");
  size_t header_length = header_length_argument(info, 1);
  ByteView entity = bytes_argument(info, 2, "entity");
  Shared target = WorkingKeyHandle::from(info[3], "to");
  ByteView header = bytes_argument(info, 4, "header");
  return guarded(info.Env(), [&]() {
    return to_uint8_array(info.Env(), reencrypt_record(*key, record, header_length, entity, *target, header));
  });
}

}  // namespace callseal::addon
