// What begins an encrypted file: a fresh content key, wrapped for every recipient, and a MAC over all of it.
//
// The layout belongs to TypeScript (lib/callfile/header.ts). This file fills the holes it is told of, so that one job
// can do a whole file without going back and forth.
#pragma once

#include <memory>
#include <vector>

#include "bytes.h"
#include "rsa_key.h"
#include "writer_signature.h"

namespace callseal {

struct EnvelopeTemplate {
  struct Wrap {
    std::shared_ptr<const PublicKey> public_key;
    size_t offset;  // in `recipients`; the hole is public_key->modulus_bytes() long
  };
  Bytes recipients;  // as the format lays it out, wrapped keys left zero
  std::vector<Wrap> wraps;
  Bytes body_label;
  Bytes mac_label;
  Bytes body_context = {};  // behind the prelude in the context of the body's key

  // kInvalidArgument when there is no hole, one lies outside `recipients`, or they overlap or are out of order.
  void validate() const;
  // The same where no hole is needed: a section of which all keys are wrapped already.
  void validate_holes() const;
};

struct Envelope {
  Bytes header;  // prelude ‖ recipients ‖ MAC
  SecretKey body_key;
};

Envelope make_envelope(const EnvelopeTemplate& form, ByteView prelude);

// The same in two parts, as the body needs no more than the first, which takes microseconds.
SecretKey derive_body_key(const EnvelopeTemplate& form, ByteView prelude, const SecretKey& content);
Bytes make_header(const EnvelopeTemplate& form, ByteView prelude, const SecretKey& content);

// What a reader has found in a header for one private key.
struct SealedEnvelope {
  Bytes wrapped_key;
  Bytes prelude;
  Bytes authenticated;  // prelude ‖ recipients: what the MAC covers
  Bytes mac;
  Bytes body_label;
  Bytes mac_label;
  Bytes body_context = {};
  std::optional<FileSignature> signature = {};

  const FileSignature* signature_or_null() const { return signature.has_value() ? &*signature : nullptr; }
};

// The content key. kTampered, always with the same message, when the wrapped key does not open with `key` or the MAC is
// wrong.
SecretKey open_content_key(const PrivateKey& key, const SealedEnvelope& sealed);

// The key of the body. kTampered as open_content_key() has it.
SecretKey open_envelope(const PrivateKey& key, const SealedEnvelope& sealed);

}  // namespace callseal
