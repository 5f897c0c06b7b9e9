#include "record.h"

#include <algorithm>
#include <limits>
#include <string>

#include "error.h"

namespace callseal {
namespace {

// In the words of whoever asked for one record; a batch says which one.
constexpr char kAltered[] = "the protected record was altered: it fails authentication";
constexpr char kOtherEntity[] = "the protected record is whole, but belongs to another entity than the one given";

// A header ends with the area, whose length is the byte before it. Checked here because the tags cover bytes, not where
// one field ends: a 3DES record cut at another place would decrypt to a part of its plaintext.
bool is_header(ByteView header) {
  constexpr size_t kAreaLengthAt = 4 + 1 + 1 + 16 + 16;
  return header.size() > kAreaLengthAt && header.size() == kAreaLengthAt + 1 + header.data()[kAreaLengthAt];
}

void bind(WorkingKey::Use& use, ByteView entity, uint8_t* record, size_t covered) {
  use.binding.compute({entity, ByteView(record, covered)}, record + covered);
}

void protect(WorkingKey::Use& use, ByteView header, ByteView entity, ByteView plaintext, uint8_t* out) {
  if (!is_header(header)) throw Error(Code::kInvalidArgument, "this is not the header of a protected record");
  std::copy(header.begin(), header.end(), out);
  use.records.seal(out, header.size(), plaintext);
  bind(use, entity, out, header.size() + use.records.sealed_length(plaintext.size()));
}

size_t unprotect(WorkingKey::Use& use, ByteView record, size_t header_length, ByteView entity, uint8_t* out) {
  const size_t around = use.records.min_overhead() + use.binding.length();
  if (record.size() < around || header_length > record.size() - around ||
      record.size() - around > kMaxRecordText + header_length) {
    throw Error(Code::kTampered, "the protected record was altered: it has an impossible length");
  }
  if (!is_header(record.subview(0, header_length))) {
    throw Error(Code::kTampered, "the protected record was altered: its header does not end where it says");
  }
  ByteView sealed = record.subview(0, record.size() - use.binding.length());
  ByteView tag = record.subview(sealed.size(), use.binding.length());
  const bool bound = use.binding.verify({entity, sealed}, tag);
  std::optional<size_t> length = use.records.open(sealed, header_length, out);
  if (!length) throw Error(Code::kTampered, kAltered);
  if (bound) return *length;
  if (*length > 0) OPENSSL_cleanse(out, *length);
  throw Error(Code::kEntityMismatch, kOtherEntity);
}

// Runs `work` for every item; what is wrong with one is told with its index.
template <typename Work>
void for_each_item(const RecordBatch& batch, Work&& work) {
  for (size_t index = 0; index < batch.items.count(); ++index) {
    try {
      work(index);
    } catch (const Error& error) {
      if (!error.causes().empty()) throw;  // the module's own failure, not this item's
      throw Error(error.code(), "item " + std::to_string(index) + " of the batch: " + error.what());
    }
  }
}

}  // namespace

size_t record_length(const WorkingKey& key, size_t header_length, size_t plaintext_length) {
  if (plaintext_length > kMaxRecordText || header_length > kMaxRecordText) {
    throw Error(Code::kInvalidArgument, "a protected record is limited to 1 GiB");
  }
  return header_length + key.protected_length(plaintext_length);
}

size_t max_plaintext_length(const WorkingKey& key, size_t record_length, size_t header_length) {
  size_t around = key.min_overhead();
  if (record_length < around || header_length > record_length - around) return 0;
  return record_length - around - header_length;
}

void protect_record(const WorkingKey& key, ByteView header, ByteView entity, ByteView plaintext, uint8_t* out) {
  WorkingKey::Use use(key);
  protect(use, header, entity, plaintext, out);
}

size_t unprotect_record(const WorkingKey& key, ByteView record, size_t header_length, ByteView entity, uint8_t* out) {
  WorkingKey::Use use(key);
  return unprotect(use, record, header_length, entity, out);
}

Bytes rebind_record(const WorkingKey& key, ByteView record, size_t header_length, ByteView from, ByteView to) {
  SecretBytes plaintext(max_plaintext_length(key, record.size(), header_length));
  WorkingKey::Use use(key);
  unprotect(use, record, header_length, from, plaintext.data());
  Bytes rebound = record.copy();
  bind(use, to, rebound.data(), rebound.size() - use.binding.length());
  return rebound;
}

Bytes reencrypt_record(const WorkingKey& key, ByteView record, size_t header_length, ByteView entity,
                       const WorkingKey& target, ByteView header) {
  SecretBytes plaintext(max_plaintext_length(key, record.size(), header_length));
  size_t length = unprotect_record(key, record, header_length, entity, plaintext.data());
  Bytes fresh(record_length(target, header.size(), length));
  protect_record(target, header, entity, ByteView(plaintext.data(), length), fresh.data());
  return fresh;
}

PackedItems::PackedItems(const char* name, ByteView data, const uint32_t* ends, size_t count)
    : data_(data), ends_(ends), count_(count) {
  size_t last = count == 0 ? 0 : ends[count - 1];
  if (last != data.size() || !std::is_sorted(ends, ends + count)) {
    throw Error(Code::kInvalidArgument, std::string("the ends of ") + name + " do not grow to the end of its bytes");
  }
}

RecordBatch::RecordBatch(PackedItems texts_or_records, PackedItems their_entities)
    : items(texts_or_records), entities(their_entities) {
  if (items.count() != entities.count()) {
    throw Error(Code::kInvalidArgument, "a batch has " + std::to_string(items.count()) + " items, but " +
                                            std::to_string(entities.count()) + " entities");
  }
}

size_t batch_record_length(const WorkingKey& key, size_t header_length, const RecordBatch& plaintexts) {
  size_t total = 0;
  for_each_item(plaintexts, [&](size_t index) {
    total += record_length(key, header_length, plaintexts.items[index].size());
    if (total > std::numeric_limits<uint32_t>::max()) {
      throw Error(Code::kInvalidArgument, "all records of a batch together are limited to 4 GiB");
    }
  });
  return total;
}

void protect_batch(const WorkingKey& key, ByteView header, const RecordBatch& plaintexts, uint8_t* out,
                   uint32_t* ends) {
  WorkingKey::Use use(key);
  size_t offset = 0;
  for_each_item(plaintexts, [&](size_t index) {
    ByteView plaintext = plaintexts.items[index];
    protect(use, header, plaintexts.entities[index], plaintext, out + offset);
    offset += header.size() + key.protected_length(plaintext.size());
    ends[index] = static_cast<uint32_t>(offset);
  });
}

size_t batch_max_plaintext_length(const WorkingKey& key, size_t header_length, const RecordBatch& records) {
  size_t total = 0;
  for (size_t index = 0; index < records.items.count(); ++index) {
    total += max_plaintext_length(key, records.items[index].size(), header_length);
  }
  return total;
}

size_t unprotect_batch(const WorkingKey& key, ByteView header, const RecordBatch& records, uint8_t* out,
                       uint32_t* ends) {
  WorkingKey::Use use(key);
  size_t offset = 0;
  try {
    for_each_item(records, [&](size_t index) {
      ByteView record = records.items[index];
      if (record.size() < header.size() || !std::equal(header.begin(), header.end(), record.begin())) {
        throw Error(Code::kInvalidArgument, "the record does not begin with the batch's header");
      }
      offset += unprotect(use, record, header.size(), records.entities[index], out + offset);
      ends[index] = static_cast<uint32_t>(offset);
    });
  } catch (...) {
    if (offset > 0) OPENSSL_cleanse(out, offset);
    throw;
  }
  return offset;
}

}  // namespace callseal
