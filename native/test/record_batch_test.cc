// Many protected records in one call.
#include <sys/mman.h>

#include "hierarchy_samples.h"

namespace callseal::test {
namespace {

struct Unpacked {
  Bytes data;
  std::vector<uint32_t> ends;
  Bytes operator[](size_t index) const {
    return Bytes(data.begin() + (index == 0 ? 0 : ends[index - 1]), data.begin() + ends[index]);
  }
};

Unpacked protect_all(const WorkingKey& key, const RecordBatch& batch) {
  const Bytes header = sample_header();
  Unpacked result{Bytes(batch_record_length(key, header.size(), batch)), std::vector<uint32_t>(batch.items.count())};
  protect_batch(key, header, batch, result.data.data(), result.ends.data());
  return result;
}

Unpacked unprotect_all(const WorkingKey& key, const RecordBatch& batch) {
  constexpr uint8_t kFiller = 0xA5;
  const Bytes header = sample_header();
  Unpacked result{Bytes(batch_max_plaintext_length(key, header.size(), batch), kFiller),
                  std::vector<uint32_t>(batch.items.count())};
  try {
    result.data.resize(unprotect_batch(key, header, batch, result.data.data(), result.ends.data()));
  } catch (...) {
    // Not even of the items before the bad one.
    for (uint8_t byte : result.data) CHECK(byte == 0 || byte == kFiller);
    throw;
  }
  return result;
}

constexpr size_t kSizes[] = {0, 1, 7, 8, 9, 1023, 1024, 0, 300};
constexpr size_t kCount = sizeof kSizes / sizeof *kSizes;

Bytes plaintext_of(size_t index) {
  return sample_bytes(kSizes[index], static_cast<uint32_t>(index));
}
Bytes entity_of(size_t index) {
  return sample_bytes(40 + index, static_cast<uint32_t>(index));
}

// Records of all sizes as items, each changed by `change`.
PackedBatch records_of(const WorkingKey& key, const std::function<void(size_t, Bytes&, Bytes&)>& change) {
  PackedBatch packed;
  for (size_t i = 0; i < kCount; ++i) {
    Bytes record = protect(key, sample_header(), entity_of(i), plaintext_of(i)), entity = entity_of(i);
    change(i, record, entity);
    packed.add(record, entity);
  }
  return packed;
}

TEST(record_batches_are_what_single_records_are) {
  for_each_working_key([](const WorkingKey& key) {
    PackedBatch texts;
    for (size_t i = 0; i < kCount; ++i) texts.add(plaintext_of(i), entity_of(i));
    Unpacked records = protect_all(key, texts.batch());
    CHECK_EQ(records.ends.back(), records.data.size());
    PackedBatch packed;
    for (size_t i = 0; i < kCount; ++i) {
      CHECK(unprotect(key, records[i], sample_header().size(), entity_of(i)) == plaintext_of(i));
      packed.add(records[i], entity_of(i));
    }
    Unpacked plaintexts = unprotect_all(key, packed.batch());
    for (size_t i = 0; i < kCount; ++i) CHECK(plaintexts[i] == plaintext_of(i));
    Unpacked singles = unprotect_all(key, records_of(key, [](size_t, Bytes&, Bytes&) {}).batch());
    for (size_t i = 0; i < kCount; ++i) CHECK(singles[i] == plaintext_of(i));
  });
}

TEST(record_batches_may_be_empty) {
  for_each_working_key([](const WorkingKey& key) {
    CHECK(protect_all(key, PackedBatch().batch()).data.empty());
    CHECK(unprotect_all(key, PackedBatch().batch()).data.empty());
  });
}

TEST(record_batches_name_their_first_bad_item) {
  for_each_working_key([](const WorkingKey& key) {
    for (size_t bad : {size_t{0}, size_t{4}, kCount - 1}) {
      const std::string name = "item " + std::to_string(bad) + " of the batch";
      auto refuses = [&](Code code, const std::function<void(Bytes&, Bytes&)>& change) {
        PackedBatch packed = records_of(key, [&](size_t index, Bytes& record, Bytes& entity) {
          if (index >= bad) change(record, entity);
        });
        Error error = CHECK_THROWS_CODE(unprotect_all(key, packed.batch()), code);
        CHECK_CONTAINS(error.what(), name);
      };
      refuses(Code::kTampered, [](Bytes& record, Bytes&) { record[50] ^= 1; });
      refuses(Code::kTampered, [](Bytes& record, Bytes&) { record.resize(60); });
      refuses(Code::kTampered, [](Bytes& record, Bytes&) { record.push_back(0); });
      refuses(Code::kEntityMismatch, [](Bytes&, Bytes& entity) { entity[0] ^= 1; });
      refuses(Code::kInvalidArgument, [](Bytes& record, Bytes&) { record[0] ^= 1; });
      refuses(Code::kInvalidArgument, [](Bytes& record, Bytes&) { record.clear(); });
    }
  });
}

TEST(record_batches_whose_ends_do_not_fit_are_refused) {
  const Bytes data = sample_bytes(10);
  const std::vector<std::vector<uint32_t>> wrong = {{}, {9}, {11}, {5, 9}, {5, 4, 10}, {11, 10}, {4294967295u, 10}};
  for (const std::vector<uint32_t>& ends : wrong) {
    Error error = CHECK_THROWS_CODE(PackedItems("data", data, ends.data(), ends.size()), Code::kInvalidArgument);
    CHECK_CONTAINS(error.what(), "data");
  }
  const uint32_t one[] = {10}, two[] = {5, 10}, gaps[] = {0, 0, 10, 10};
  CHECK_EQ(PackedItems("data", data, gaps, 4)[1].size(), 0u);
  CHECK_EQ(PackedItems("data", data, gaps, 4)[2].size(), 10u);
  CHECK_THROWS_CODE(RecordBatch(PackedItems("data", data, one, 1), PackedItems("entities", data, two, 2)),
                    Code::kInvalidArgument);
}

TEST(record_batches_of_more_than_four_gibibytes_are_refused) {
  // Only lengths are looked at: pages that are never touched.
  constexpr size_t kAll = 4294967295u;
  void* pages = mmap(nullptr, kAll, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  CHECK(pages != MAP_FAILED);
  const uint32_t ends[] = {kMaxRecordText, 2 * kMaxRecordText, 3 * kMaxRecordText, kAll};
  const uint32_t entity_ends[] = {0, 0, 0, 0};
  RecordBatch batch(PackedItems("data", ByteView(static_cast<uint8_t*>(pages), kAll), ends, 4),
                    PackedItems("entities", {}, entity_ends, 4));
  for_each_working_key([&](const WorkingKey& key) {
    Error error = CHECK_THROWS_CODE(batch_record_length(key, 46, batch), Code::kInvalidArgument);
    CHECK_CONTAINS(error.what(), "item 3");
  });
  munmap(pages, kAll);
}

}  // namespace
}  // namespace callseal::test
