// What the tests of the key hierarchy share: every kind of key and hash, keys, rows and records.
#pragma once

#include <functional>

#include "error.h"
#include "master_key.h"
#include "record.h"
#include "scratch.h"
#include "test.h"
#include "triple_des.h"

namespace callseal::test {

// Those the module encrypts with: some refuse 3DES.
inline const std::vector<CipherKind>& ciphers() {
  static const std::vector<CipherKind> offered = [] {
    std::vector<CipherKind> kinds{CipherKind::kAes256};
    try {
      triple_des::start_encryption(view(triple_des::generate()));
      kinds.push_back(CipherKind::kTripleDes);
    } catch (const Error& error) {
      CHECK(error.code() == Code::kNotApproved);
    }
    return kinds;
  }();
  return offered;
}

inline void require_triple_des() {
  if (ciphers().size() == 1) throw Skip("the crypto module refuses 3DES encryption: nothing was tried with 3DES");
}

constexpr HashKind kHashes[] = {HashKind::kSha256, HashKind::kSha1};

inline Bytes sample_context() {
  return sample_bytes(MasterKey::kContextLength, 70);
}
// With an area of `area_length` bytes.
inline Bytes sample_header(size_t area_length = 7, uint32_t seed = 71) {
  Bytes header = sample_bytes(39 + area_length, seed);
  header[38] = static_cast<uint8_t>(area_length);
  return header;
}
inline Bytes sample_entity(uint32_t seed = 72) {
  return sample_bytes(60, seed);
}

// A sound 3DES key that is the same in every run.
inline Bytes sample_triple_des(uint32_t seed) {
  Bytes key = sample_bytes(triple_des::kKeyLength, seed);
  triple_des::set_odd_parity(key.data());
  return key;
}

inline Bytes sample_master(CipherKind cipher, uint32_t seed = 73) {
  return cipher == CipherKind::kAes256 ? sample_bytes(32, seed) : sample_triple_des(seed);
}

inline Bytes sample_working(CipherKind cipher, uint32_t seed = 74) {
  if (cipher == CipherKind::kAes256) return sample_bytes(32, seed);
  Bytes key = sample_triple_des(seed), mac = sample_bytes(32, seed + 1);
  key.insert(key.end(), mac.begin(), mac.end());
  return key;
}

inline MasterKey sample_master_key(CipherKind cipher) {
  return MasterKey(cipher, sample_master(cipher), sample_context());
}

// A row that ends as docs/keys.md says, with `wrapped` as its last field.
inline Bytes row_with(ByteView wrapped) {
  Bytes row = sample_bytes(100, 75);
  row.resize(row.size() + 4);
  put_u32be(row.data() + row.size() - 4, static_cast<uint32_t>(wrapped.size()));
  row.insert(row.end(), wrapped.begin(), wrapped.end());
  return row;
}

inline Bytes mac_of(const MasterKey& master, const Bytes& row) {
  Bytes mac(MasterKey::kMacLength);
  master.mac_row(row, mac.data());
  return mac;
}

inline Bytes protect(const WorkingKey& key, const Bytes& header, const Bytes& entity, const Bytes& plaintext) {
  Bytes record(record_length(key, header.size(), plaintext.size()));
  protect_record(key, header, entity, plaintext, record.data());
  return record;
}

// The plaintext. What is thrown leaves nothing of it in the output, which is looked at here.
inline Bytes unprotect(const WorkingKey& key, const Bytes& record, size_t header_length, const Bytes& entity) {
  constexpr uint8_t kFiller = 0xA5;
  Bytes out(max_plaintext_length(key, record.size(), header_length), kFiller);
  try {
    out.resize(unprotect_record(key, record, header_length, entity, out.data()));
  } catch (...) {
    for (uint8_t byte : out) CHECK(byte == 0 || byte == kFiller);
    throw;
  }
  return out;
}

// Runs `work` for every kind of working key.
inline void for_each_working_key(const std::function<void(const WorkingKey&)>& work) {
  for (CipherKind cipher : ciphers()) {
    for (HashKind hash : kHashes) work(WorkingKey(cipher, hash, sample_working(cipher), sample_bytes(32, 76)));
  }
}

// A batch, and the memory it lies in.
class PackedBatch {
 public:
  void add(const Bytes& item, const Bytes& entity) {
    data_.insert(data_.end(), item.begin(), item.end());
    data_ends_.push_back(static_cast<uint32_t>(data_.size()));
    entities_.insert(entities_.end(), entity.begin(), entity.end());
    entity_ends_.push_back(static_cast<uint32_t>(entities_.size()));
  }
  RecordBatch batch() const {
    return RecordBatch(PackedItems("data", data_, data_ends_.data(), data_ends_.size()),
                       PackedItems("entities", entities_, entity_ends_.data(), entity_ends_.size()));
  }

 private:
  Bytes data_, entities_;
  std::vector<uint32_t> data_ends_, entity_ends_;
};

}  // namespace callseal::test
