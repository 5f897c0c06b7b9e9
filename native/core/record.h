// Protected records (docs/keys.md, "Protected record"): one at a time, and many in one call.
//
// A record is header ‖ IV ‖ ciphertext ‖ inner tag ‖ binding tag. Headers and entities are encoded in TypeScript; here
// they are bytes that the tags cover, and of a header only its length is looked at. Nothing of a plaintext is left in
// an output unless both tags were right.
#pragma once

#include "working_key.h"

namespace callseal {

// Of a record with such a header and plaintext. kInvalidArgument for plaintexts beyond 1 GiB.
size_t record_length(const WorkingKey& key, size_t header_length, size_t plaintext_length);
// No plaintext of a record of that length is longer.
size_t max_plaintext_length(const WorkingKey& key, size_t record_length, size_t header_length);

// Writes record_length() bytes. kInvalidArgument for what is no header. kNotApproved where the module refuses to
// encrypt.
void protect_record(const WorkingKey& key, ByteView header, ByteView entity, ByteView plaintext, uint8_t* out);

// Writes the plaintext, at most max_plaintext_length() bytes, and returns its length. The binding tag is verified
// first. kEntityMismatch when the record is whole but belongs to another entity, kTampered when it was altered.
size_t unprotect_record(const WorkingKey& key, ByteView record, size_t header_length, ByteView entity, uint8_t* out);

// The record, bound to `to` after it was verified for `from`.
Bytes rebind_record(const WorkingKey& key, ByteView record, size_t header_length, ByteView from, ByteView to);

// What `key` protects, protected by `target` under `header` for the same entity.
Bytes reencrypt_record(const WorkingKey& key, ByteView record, size_t header_length, ByteView entity,
                       const WorkingKey& target, ByteView header);

// Items that lie one after the other in one piece of memory.
class PackedItems {
 public:
  // `ends[i]` is where item i ends. kInvalidArgument, with `name`, unless they grow to the end of `data`.
  PackedItems(const char* name, ByteView data, const uint32_t* ends, size_t count);
  size_t count() const { return count_; }
  ByteView operator[](size_t index) const {
    size_t begin = index == 0 ? 0 : ends_[index - 1];
    return data_.subview(begin, ends_[index] - begin);
  }

 private:
  ByteView data_;
  const uint32_t* ends_;
  size_t count_;
};

struct RecordBatch {
  // kInvalidArgument unless there are as many of one as of the other.
  RecordBatch(PackedItems texts_or_records, PackedItems their_entities);
  PackedItems items;
  PackedItems entities;
};

// Bytes of all records of the batch's plaintexts. kInvalidArgument from 4 GiB, which `ends` could not tell.
size_t batch_record_length(const WorkingKey& key, size_t header_length, const RecordBatch& plaintexts);
// Writes the records under one header one after the other, batch_record_length() bytes, and where each ends.
void protect_batch(const WorkingKey& key, ByteView header, const RecordBatch& plaintexts, uint8_t* out, uint32_t* ends);

// All plaintexts of the batch's records together are not longer.
size_t batch_max_plaintext_length(const WorkingKey& key, size_t header_length, const RecordBatch& records);
// Writes the plaintexts of records that begin with `header` one after the other, and where each ends; returns the
// length of all. The error of a bad one (as in unprotect_record; kInvalidArgument for another header) names its index.
size_t unprotect_batch(const WorkingKey& key, ByteView header, const RecordBatch& records, uint8_t* out,
                       uint32_t* ends);

}  // namespace callseal
