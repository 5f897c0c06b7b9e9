// Templates with hostile holes: what `validate` lets pass must be filled without a byte changed beside the holes.
//
// Input: length of the recipients (2 bytes), then the offset of each hole (2 bytes). Seeds: corpus/fuzz_envelope.
#include <openssl/err.h>
#include <stdlib.h>

#include "../test/module_from_environment.h"
#include "envelope.h"
#include "error.h"

namespace {

using namespace callseal;

constexpr size_t kModulus = 256;
constexpr uint8_t kFiller = 0xEE;
constexpr uint8_t kPrelude[] = {1, 2, 3};

void require(bool condition) {
  if (!condition) abort();
}

const PrivateKey& key() {
  static const PrivateKey instance = PrivateKey::generate(2048);
  return instance;
}

bool holes_fit(const EnvelopeTemplate& form) {
  size_t end = 0;
  for (const EnvelopeTemplate::Wrap& wrap : form.wraps) {
    if (wrap.offset < end || wrap.offset + kModulus > form.recipients.size()) return false;
    end = wrap.offset + kModulus;
  }
  return !form.wraps.empty();
}

void check_header(const EnvelopeTemplate& form) {
  Envelope envelope = make_envelope(form, kPrelude);
  ByteView header(envelope.header);
  require(header.size() == sizeof kPrelude + form.recipients.size() + SecretKey::kMacLength);
  ByteView recipients = header.subview(sizeof kPrelude, form.recipients.size());
  size_t at = 0;
  for (const EnvelopeTemplate::Wrap& wrap : form.wraps) {
    for (; at < wrap.offset; ++at) require(recipients.data()[at] == kFiller);
    at += kModulus;
  }
  for (; at < recipients.size(); ++at) require(recipients.data()[at] == kFiller);
  // One private operation an input, the last hole's.
  SecretKey content = key().unwrap(recipients.subview(form.wraps.back().offset, kModulus));
  SecretKey mac = content.derive(KeyUse::kMac, form.mac_label, kPrelude);
  const size_t covered = header.size() - SecretKey::kMacLength;
  require(mac.verify_mac(header.subview(0, covered), header.subview(covered, SecretKey::kMacLength)));
}

size_t take_number(ByteView& bytes) {
  size_t value = size_t{bytes.data()[0]} << 8 | bytes.data()[1];
  bytes = bytes.subview(2, bytes.size() - 2);
  return value;
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  test::initialise_module_from_environment();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  ByteView bytes(data, size);
  if (bytes.size() < 2) return 0;
  EnvelopeTemplate form;
  form.recipients = Bytes(take_number(bytes) % 2048, kFiller);
  form.body_label = {'b'};
  form.mac_label = {'m'};
  while (bytes.size() >= 2 && form.wraps.size() < 8) form.wraps.push_back({key().public_key(), take_number(bytes)});
  try {
    form.validate();
    require(holes_fit(form));
    check_header(form);
  } catch (const Error& error) {
    require(error.code() == Code::kInvalidArgument && !holes_fit(form));
  }
  require(ERR_peek_error() == 0);
  return 0;
}
