// Hostile protected records, entities and lengths, alone and in batches: nothing that this key did not make is
// accepted, and nothing of what is refused is released.
//
// Input: cipher and hash (one byte: bit 0 is 3DES, bit 1 SHA-1), header length (2 bytes), entity length (1 byte),
// entity, record. Bit 2 makes the record the module's own: its header and text are then the input's, and it must come
// back. Seeds: corpus/fuzz_record.
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include <algorithm>

#include "../test/module_from_environment.h"
#include "error.h"
#include "record.h"
#include "triple_des.h"

namespace {

using namespace callseal;

constexpr uint8_t kFiller = 0xA5;

void require(bool condition) {
  if (!condition) abort();
}

WorkingKey* make_key(CipherKind cipher, HashKind hash) {
  Bytes bytes(WorkingKey::length(cipher));
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 5 + 1);
  if (cipher == CipherKind::kTripleDes) triple_des::set_odd_parity(bytes.data());
  return new WorkingKey(cipher, hash, bytes, Bytes(32, 0x42));
}

// The seeds hold records of these keys.
const WorkingKey& key(uint8_t choice) {
  static const WorkingKey* const keys[] = {
      make_key(CipherKind::kAes256, HashKind::kSha256), make_key(CipherKind::kTripleDes, HashKind::kSha256),
      make_key(CipherKind::kAes256, HashKind::kSha1), make_key(CipherKind::kTripleDes, HashKind::kSha1)};
  return *keys[choice & 3];
}

bool is_untouched(const Bytes& out) {
  for (uint8_t byte : out) {
    if (byte != 0 && byte != kFiller) return false;
  }
  return true;
}

// The refusal's code, or nothing when the record was accepted; `plaintext` then holds what was in it.
std::optional<Code> open(const WorkingKey& with, ByteView record, size_t header_length, ByteView entity,
                         Bytes& plaintext) {
  plaintext.assign(max_plaintext_length(with, record.size(), header_length), kFiller);
  try {
    plaintext.resize(unprotect_record(with, record, header_length, entity, plaintext.data()));
    return std::nullopt;
  } catch (const Error& error) {
    require(error.code() == Code::kTampered || error.code() == Code::kEntityMismatch);
    require(is_untouched(plaintext));
    return error.code();
  }
}

// One record, twice, as a batch: the verdict is the single one's, and the first is named.
void check_batch(const WorkingKey& with, ByteView record, size_t header_length, ByteView entity,
                 std::optional<Code> verdict, const Bytes& plaintext) {
  Bytes data = record.copy(), entities = entity.copy();
  data.insert(data.end(), record.begin(), record.end());
  entities.insert(entities.end(), entity.begin(), entity.end());
  const uint32_t ends[] = {static_cast<uint32_t>(record.size()), static_cast<uint32_t>(data.size())};
  const uint32_t entity_ends[] = {static_cast<uint32_t>(entity.size()), static_cast<uint32_t>(entities.size())};
  RecordBatch batch(PackedItems("data", data, ends, 2), PackedItems("entities", entities, entity_ends, 2));
  Bytes out(batch_max_plaintext_length(with, header_length, batch), kFiller);
  uint32_t out_ends[2];
  try {
    size_t length = unprotect_batch(with, record.subview(0, header_length), batch, out.data(), out_ends);
    require(!verdict && length == 2 * plaintext.size() && out_ends[0] == plaintext.size());
    require(std::equal(plaintext.begin(), plaintext.end(), out.begin()));
  } catch (const Error& error) {
    require(verdict == error.code() && is_untouched(out));
    require(strncmp(error.what(), "item 0 of the batch", 19) == 0);
  }
}

void check_hostile(const WorkingKey& with, ByteView record, size_t header_length, ByteView entity) {
  Bytes plaintext;
  std::optional<Code> verdict = open(with, record, header_length, entity, plaintext);
  if (header_length <= record.size()) check_batch(with, record, header_length, entity, verdict, plaintext);
  // Whatever is accepted is whole in every bit: the seeds' own records, which the fuzzer cannot make itself.
  if (verdict || record.empty()) return;
  Bytes changed = record.copy(), other;
  changed[plaintext.size() % changed.size()] ^= 1;
  require(open(with, changed, header_length, entity, other).has_value());
}

// Text and header from the input, protected here.
void check_own(const WorkingKey& with, ByteView text, size_t area_length, ByteView entity) {
  Bytes header(39 + area_length % 256, 0x61), plaintext;
  header[38] = static_cast<uint8_t>(area_length);
  Bytes record(record_length(with, header.size(), text.size()));
  protect_record(with, header, entity, text, record.data());
  require(!open(with, record, header.size(), entity, plaintext) && plaintext == text.copy());
  check_batch(with, record, header.size(), entity, std::nullopt, plaintext);
  Bytes another = entity.copy();
  another.push_back(0);
  require(open(with, record, header.size(), another, plaintext) == Code::kEntityMismatch);
  record[text.size() % record.size()] ^= 0x80;
  require(open(with, record, header.size(), entity, plaintext).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  test::initialise_module_from_environment();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 4) return 0;
  const uint8_t choice = data[0];
  const size_t header_length = size_t{data[1]} << 8 | data[2];
  const size_t entity_length = std::min<size_t>(data[3], size - 4);
  ByteView entity(data + 4, entity_length);
  ByteView rest(data + 4 + entity_length, size - 4 - entity_length);
  if ((choice & 4) != 0) {
    check_own(key(choice), rest, header_length, entity);
  } else {
    check_hostile(key(choice), rest, header_length, entity);
  }
  require(ERR_peek_error() == 0);
  return 0;
}
