#include "key_bytes_function.h"

#include <algorithm>

#include "async.h"
#include "key_file.h"
#include "key_handles.h"

namespace callseal::addon {
namespace {

Napi::Value decode_key(const Napi::CallbackInfo& info) {
  const ByteView given = bytes_argument(info, 0, "bytes");
  std::shared_ptr<const Passphrase> passphrase;
  if (!info[1].IsNull() && !info[1].IsUndefined()) passphrase = PassphraseHandle::from(info[1], "passphrase");
  const std::string name = string_argument(info, 2, "name");
  // One byte more than any key file has is enough to be refused. The copy is cleared whatever becomes of the work.
  const size_t length = std::min(given.size(), kMaxKeyFileBytes + 1);
  auto bytes = std::make_shared<const SecretBytes>(given.begin(), given.begin() + length);
  return PromiseWork<std::shared_ptr<const PrivateKey>>::run(
      info.Env(),
      [bytes, passphrase, name]() {
        return std::make_shared<const PrivateKey>(decode_private_key(view(*bytes), passphrase.get(), name));
      },
      [](Napi::Env env, auto& key) { return PrivateKeyHandle::wrap(env, key); });
}

}  // namespace

void define_key_bytes_function(Napi::Env env, Napi::Object exports) {
  exports["decodePrivateKey"] = Napi::Function::New(env, decode_key);
}

}  // namespace callseal::addon
