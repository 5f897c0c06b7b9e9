// Hostile FLOE bodies. The fuzzer edits a sound body: what it changes must be refused, whatever the change, and what it
// leaves alone must decrypt. The rest of the input is read as header and as segments of their own.
//
// Input: edits of 4 bytes each: operation, position (2 bytes), value. Seeds: corpus/fuzz_floe.
#include <openssl/err.h>
#include <stdlib.h>

#include "../test/module_from_environment.h"
#include "error.h"
#include "floe_body.h"

namespace {

using namespace callseal;

constexpr uint32_t kSegment = 64;
constexpr size_t kPlaintext = 5 * (kSegment - kFloeSegmentOverhead) + 9;

void require(bool condition) {
  if (!condition) abort();
}

const SecretKey& key() {
  static const SecretKey instance(KeyUse::kFloe, Bytes(32, 0x42));
  return instance;
}

const Bytes& plaintext() {
  static const Bytes instance(kPlaintext, 0x37);
  return instance;
}

const Bytes& sound_body() {
  static const Bytes instance = [] {
    FloeMessage message = FloeMessage::create(key(), {}, kSegment, 1);
    Bytes body(message.encrypted_length(kPlaintext));
    encrypt_floe_body(message, plaintext(), std::copy(message.header().begin(), message.header().end(), body.data()));
    return body;
  }();
  return instance;
}

void edit(Bytes& body, const uint8_t* command) {
  const size_t position = (size_t{command[1]} << 8 | command[2]) % (body.size() + 1);
  const auto at = body.begin() + static_cast<ptrdiff_t>(position);
  const auto after = at + std::min<ptrdiff_t>(command[3], body.end() - at);
  switch (command[0] % 5) {
    case 0:  // change a byte
      if (at != body.end()) *at ^= command[3];
      break;
    case 1:  // cut there
      body.erase(at, body.end());
      break;
    case 2:  // take bytes out
      body.erase(at, after);
      break;
    case 3:  // put bytes in
      body.insert(at, command[3], command[3]);
      break;
    case 4: {  // repeat bytes
      const Bytes copy(at, after);
      body.insert(body.end(), copy.begin(), copy.end());
      break;
    }
  }
}

void decrypt(const Bytes& body) {
  Bytes out(body.size(), 0);
  try {
    FloeMessage message =
        FloeMessage::open(key(), {}, ByteView(body.data(), std::min(body.size(), kFloeHeaderLength)), true, 1);
    out.resize(decrypt_floe_body(message, body, out.data()));
    require(body == sound_body() && out == plaintext());
  } catch (const Error& error) {
    require(body != sound_body());
    require(error.code() == Code::kTampered || error.code() == Code::kTruncated);
    for (uint8_t byte : out) require(byte == 0);
  }
  require(ERR_peek_error() == 0);
}

// Each segment of the input, cut as its marks say, is refused: no tag of it can be right.
void decrypt_segments(ByteView bytes) {
  static const FloeMessage message =
      FloeMessage::open(key(), {}, ByteView(sound_body().data(), kFloeHeaderLength), true, 1);
  FloeCipher cipher(message);
  Bytes out(kSegment);
  for (uint64_t index = 0; bytes.size() >= 4; ++index) {
    try {
      FloeMark mark = read_floe_mark(bytes.data(), kSegment);
      size_t length = std::min(mark.length, bytes.size());
      ByteView segment = bytes.subview(0, length);
      bytes = bytes.subview(length, bytes.size() - length);
      cipher.decrypt(index, mark.final, segment, out.data());
      abort();
    } catch (const Error& error) {
      require(error.code() == Code::kTampered);
      if (bytes.size() >= 4) bytes = bytes.subview(4, bytes.size() - 4);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  test::initialise_module_from_environment();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes body = sound_body();
  for (size_t at = 0; at + 4 <= std::min<size_t>(size, 64); at += 4) edit(body, data + at);
  decrypt(body);
  if (size >= kFloeHeaderLength) decrypt(Bytes(data, data + size));
  decrypt_segments(ByteView(data, size));
  return 0;
}
