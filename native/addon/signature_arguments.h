// Writers' signatures as JavaScript hands them over: FileSigner and FileSignature of lib/native/signature-binding.ts.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "writer_signature.h"

namespace callseal::addon {

// A signer kept for many files. Each takes its own share of the key, so that none is begun after the key's destroy().
class KeptSigner {
 public:
  // None for null and undefined. ERR_INVALID_ARGUMENT when the key does not sign in that scheme.
  static std::unique_ptr<KeptSigner> from(Napi::Value value);
  // ERR_KEY_USE when the key was destroyed.
  std::shared_ptr<const FileSigner> for_file() const;

 private:
  FileSigner signer_;  // without its key
  Napi::ObjectReference key_;
};

// Nothing for undefined.
Bytes optional_bytes_value(Napi::Value value, const char* name);

// None for null and undefined.
std::optional<FileSignature> optional_signature(Napi::Value value);

// The name of a scheme, as scheme_argument() takes it.
const char* scheme_name(SignatureScheme scheme);
SignatureScheme scheme_value(Napi::Value value);

// verifyOpening(signature).
Napi::Value verify_opening(const Napi::CallbackInfo& info);

}  // namespace callseal::addon
