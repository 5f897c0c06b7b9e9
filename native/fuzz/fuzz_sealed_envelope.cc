// Headers as a reader gets them, from somebody who has the public key, and so can wrap what they please and make the
// MAC right: what opens is what its maker closed, and every refusal is the same one. The holes of a change of
// recipients are as hostile as in fuzz_envelope.
//
// Input: what is wrapped (1 byte: bit 0 another length than 32, which follows; bit 1 plain bytes of the input in place
// of a wrapped key; bit 2 the MAC under another label), length (1 byte), hole (2 bytes); then edits of what was made,
// each part (1 byte), place (1 byte), value (1 byte). Seeds: corpus/fuzz_sealed_envelope.
#include <openssl/err.h>
#include <stdlib.h>

#include <string>

#include "../test/module_from_environment.h"
#include "envelope.h"
#include "error.h"
#include "rewrap.h"

namespace {

using namespace callseal;

constexpr size_t kModulus = 256;
constexpr size_t kLongestMessage = kModulus - 66;

void require(bool condition) {
  if (!condition) abort();
}

const PrivateKey& key() {
  static const PrivateKey instance = PrivateKey::generate(2048);
  return instance;
}

struct Made {
  SealedEnvelope sealed;
  bool sound;  // as the format wants it
};

Bytes wrapped_key(ByteView message, bool plain) {
  Bytes wrapped(kModulus);
  if (plain) {
    std::copy(message.begin(), message.begin() + std::min<ptrdiff_t>(message.end() - message.begin(), kModulus),
              wrapped.begin());
  } else {
    key().public_key()->encrypt_oaep(message, wrapped.data());
  }
  return wrapped;
}

Made make(ByteView input) {
  const uint8_t form = input.data()[0];
  const bool plain = (form & 2) != 0, other_label = (form & 4) != 0;
  const size_t length = (form & 1) != 0 ? input.data()[1] % (kLongestMessage + 1) : SecretKey::kLength;
  const Bytes message(length, 0x42);
  const Bytes wrapped = plain ? wrapped_key(input, true) : wrapped_key(message, false);
  const Bytes prelude(48, 7);
  Bytes authenticated = prelude;
  append(authenticated, wrapped);
  const SecretKey content(KeyUse::kContent, Bytes(SecretKey::kLength, 0x42));
  const SecretKey mac_key = content.derive(KeyUse::kMac, ByteView::of(other_label ? "b" : "m"), prelude);
  Bytes mac(SecretKey::kMacLength);
  mac_key.mac({authenticated}, mac.data());
  const bool sound = length == SecretKey::kLength && !plain && !other_label;
  return {{wrapped, prelude, authenticated, mac, {'b'}, {'m'}}, sound};
}

// Parts may become longer or shorter, too: a parser hands over what it has found.
void edit(SealedEnvelope& sealed, const uint8_t* command) {
  Bytes* const parts[] = {&sealed.wrapped_key, &sealed.prelude, &sealed.authenticated, &sealed.mac};
  Bytes& part = *parts[command[0] & 3];
  const size_t place = part.empty() ? 0 : command[1] % part.size();
  switch (command[0] >> 2 & 3) {
    case 0:
      part.resize(place);
      break;
    case 1:
      part.insert(part.end(), command[2] % 8, command[1]);
      break;
    default:
      if (!part.empty()) part[place] ^= command[2];
  }
}

bool same(const SealedEnvelope& a, const SealedEnvelope& b) {
  return a.wrapped_key == b.wrapped_key && a.prelude == b.prelude && a.authenticated == b.authenticated &&
         a.mac == b.mac;
}

// Whether `open` gave what it should: the error is one and the same, whatever is wrong.
template <typename Open>
bool opens(Open&& open) {
  bool opened = true;
  try {
    open();
  } catch (const Error& error) {
    require(error.code() == Code::kTampered && error.causes().empty());
    require(std::string(error.what()) == "the header fails authentication");
    opened = false;
  }
  require(ERR_peek_error() == 0);
  return opened;
}

// The content key for the same reader, in a hole at that place.
void rewrap(const SealedEnvelope& sealed, size_t hole, bool sound) {
  EnvelopeTemplate form;
  form.recipients = Bytes(300);
  form.wraps = {{key().public_key(), hole}};
  form.mac_label = {'m'};
  const bool fits = hole <= 300 - kModulus;
  try {
    const Bytes header = rewrap_header(key(), sealed, form);
    require(fits && sound && header.size() == sealed.prelude.size() + 300 + SecretKey::kMacLength);
  } catch (const Error& error) {
    require(error.code() == (fits ? Code::kTampered : Code::kInvalidArgument) || !sound);
    require(!fits || !sound);
  }
  require(ERR_peek_error() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  test::initialise_module_from_environment();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  Made made = make(ByteView(data, size));
  const SealedEnvelope before = made.sealed;
  for (size_t at = 4; at + 3 <= std::min<size_t>(size, 40); at += 3) edit(made.sealed, data + at);
  const bool sound = made.sound && same(before, made.sealed);
  require(opens([&] { open_envelope(key(), made.sealed); }) == sound);
  rewrap(made.sealed, size_t{data[2]} << 8 | data[3], sound);
  return 0;
}
