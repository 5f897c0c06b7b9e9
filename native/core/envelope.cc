#include "envelope.h"

#include <algorithm>
#include <optional>

#include "error.h"

namespace callseal {
namespace {

// A wrapped key that does not open becomes a random one, so that what follows is the same as for any other altered
// header: whether the padding was right shows neither in a message nor in time.
SecretKey content_key_or_random(const PrivateKey& key, ByteView wrapped) {
  SecretKey random = SecretKey::generate(KeyUse::kContent);
  std::optional<SecretKey> content = key.try_unwrap(wrapped);
  return content.has_value() ? std::move(*content) : std::move(random);
}

SecretKey derive_body_key(const SecretKey& content, const Bytes& label, ByteView prelude, const Bytes& context) {
  Bytes whole = prelude.copy();
  append(whole, context);
  return content.derive(KeyUse::kFloe, label, whole);
}

}  // namespace

void EnvelopeTemplate::validate() const {
  if (wraps.empty()) throw Error(Code::kInvalidArgument, "a file needs at least one recipient");
  validate_holes();
}

void EnvelopeTemplate::validate_holes() const {
  size_t end = 0;
  for (const Wrap& wrap : wraps) {
    size_t length = wrap.public_key->modulus_bytes();
    if (wrap.offset < end) throw Error(Code::kInvalidArgument, "wrapped keys overlap or are out of order");
    if (wrap.offset > recipients.size() || recipients.size() - wrap.offset < length) {
      throw Error(Code::kInvalidArgument, "a wrapped key would lie outside the recipients section");
    }
    end = wrap.offset + length;
  }
}

SecretKey derive_body_key(const EnvelopeTemplate& form, ByteView prelude, const SecretKey& content) {
  return derive_body_key(content, form.body_label, prelude, form.body_context);
}

Bytes make_header(const EnvelopeTemplate& form, ByteView prelude, const SecretKey& content) {
  Bytes header(prelude.size() + form.recipients.size() + SecretKey::kMacLength);
  uint8_t* recipients = std::copy(prelude.begin(), prelude.end(), header.data());
  uint8_t* tag = std::copy(form.recipients.begin(), form.recipients.end(), recipients);
  for (const EnvelopeTemplate::Wrap& wrap : form.wraps) wrap.public_key->wrap(content, recipients + wrap.offset);
  SecretKey mac_key = content.derive(KeyUse::kMac, form.mac_label, prelude);
  mac_key.mac({ByteView(header.data(), header.size() - SecretKey::kMacLength)}, tag);
  return header;
}

Envelope make_envelope(const EnvelopeTemplate& form, ByteView prelude) {
  SecretKey content = SecretKey::generate(KeyUse::kContent);
  return {make_header(form, prelude, content), derive_body_key(form, prelude, content)};
}

SecretKey open_content_key(const PrivateKey& key, const SealedEnvelope& sealed) {
  SecretKey content = content_key_or_random(key, sealed.wrapped_key);
  SecretKey mac_key = content.derive(KeyUse::kMac, sealed.mac_label, sealed.prelude);
  if (!mac_key.verify_mac(sealed.authenticated, sealed.mac)) {
    throw Error(Code::kTampered, "the header fails authentication");
  }
  return content;
}

SecretKey open_envelope(const PrivateKey& key, const SealedEnvelope& sealed) {
  const SecretKey content = open_content_key(key, sealed);
  return derive_body_key(content, sealed.body_label, sealed.prelude, sealed.body_context);
}

}  // namespace callseal
