// Protected records: what comes back, and what is refused.
#include <atomic>
#include <set>
#include <thread>

#include "hierarchy_samples.h"

namespace callseal::test {
namespace {

constexpr size_t kSizes[] = {0, 1, 7, 8, 9, 1023, 1024, size_t{1} << 20};

TEST(records_come_back_in_every_size) {
  for_each_working_key([](const WorkingKey& key) {
    for (size_t size : kSizes) {
      Bytes plaintext = sample_bytes(size), header = sample_header();
      Bytes record = protect(key, header, sample_entity(), plaintext);
      CHECK(std::equal(header.begin(), header.end(), record.begin()));
      CHECK(record.size() <= header.size() + size + key.overhead());
      CHECK(record.size() >= header.size() + size + key.min_overhead());
      CHECK(unprotect(key, record, header.size(), sample_entity()) == plaintext);
    }
  });
}

TEST(records_may_have_no_entity) {
  for_each_working_key([](const WorkingKey& key) {
    CHECK(unprotect(key, protect(key, sample_header(), {}, {}), sample_header().size(), {}).empty());
    Bytes record = protect(key, sample_header(), {}, sample_bytes(20));
    CHECK(unprotect(key, record, sample_header().size(), {}) == sample_bytes(20));
    CHECK_THROWS_CODE(unprotect(key, record, sample_header().size(), sample_entity()), Code::kEntityMismatch);
  });
}

TEST(records_have_headers_that_say_where_they_end) {
  for_each_working_key([](const WorkingKey& key) {
    for (size_t area : {0, 1, 64, 255}) {
      const Bytes header = sample_header(area);
      CHECK(unprotect(key, protect(key, header, {}, sample_bytes(9)), header.size(), {}) == sample_bytes(9));
    }
    for (size_t length : {0, 1, 38, 39, 45, 47}) {
      Bytes header = sample_header();
      header.resize(length);
      CHECK_THROWS_CODE(protect(key, header, {}, {}), Code::kInvalidArgument);
    }
  });
}

TEST(records_have_a_fresh_iv_each) {
  for_each_working_key([](const WorkingKey& key) {
    const size_t iv_length = key.cipher() == CipherKind::kAes256 ? 12 : 8;
    constexpr size_t kRecords = 2000;
    std::set<Bytes> ivs, ciphertexts;
    const Bytes header = sample_header(), plaintext = sample_bytes(24);
    auto note = [&](const uint8_t* record) {
      const uint8_t* iv = record + header.size();
      ivs.emplace(iv, iv + iv_length);
      ciphertexts.emplace(iv + iv_length, iv + iv_length + plaintext.size());
    };
    PackedBatch packed;
    for (size_t i = 0; i < kRecords; ++i) {
      note(protect(key, header, sample_entity(), plaintext).data());
      packed.add(plaintext, sample_entity());
    }
    Bytes records(batch_record_length(key, header.size(), packed.batch()));
    std::vector<uint32_t> ends(kRecords);
    protect_batch(key, header, packed.batch(), records.data(), ends.data());
    for (size_t i = 0; i < kRecords; ++i) note(records.data() + (i == 0 ? 0 : ends[i - 1]));
    CHECK_EQ(ivs.size(), 2 * kRecords);
    CHECK_EQ(ciphertexts.size(), 2 * kRecords);
  });
}

// The code that `record` is refused with.
Code refusal(const WorkingKey& key, const Bytes& record, const Bytes& entity) {
  try {
    unprotect(key, record, sample_header().size(), entity);
  } catch (const Error& error) {
    CHECK(error.causes().empty());
    return error.code();
  }
  throw Failure("an altered record was accepted");
}

TEST(records_with_any_bit_flipped_are_refused) {
  for_each_working_key([](const WorkingKey& key) {
    for (size_t size : {size_t{0}, size_t{1}, size_t{8}, size_t{21}}) {
      const Bytes record = protect(key, sample_header(), sample_entity(), sample_bytes(size));
      const size_t binding_tag = record.size() - (key.hash() == HashKind::kSha256 ? 32 : 20);
      for (size_t bit = 0; bit < record.size() * 8; ++bit) {
        Bytes changed = record;
        changed[bit / 8] = static_cast<uint8_t>(changed[bit / 8] ^ 1 << bit % 8);
        // With a wrong binding tag alone, a record is what one of another entity would be.
        const Code expected = bit / 8 >= binding_tag ? Code::kEntityMismatch : Code::kTampered;
        CHECK(refusal(key, changed, sample_entity()) == expected);
        if (bit / 8 < binding_tag) CHECK(refusal(key, changed, sample_entity(1)) == Code::kTampered);
      }
    }
  });
}

TEST(records_of_any_other_length_are_refused) {
  for_each_working_key([](const WorkingKey& key) {
    const Bytes record = protect(key, sample_header(), sample_entity(), sample_bytes(17));
    for (size_t length = 0; length < record.size(); ++length) {
      CHECK(refusal(key, Bytes(record.begin(), record.begin() + static_cast<long>(length)), sample_entity()) ==
            Code::kTampered);
    }
    for (size_t more : {1, 7, 8, 16, 4096}) {
      Bytes longer = record;
      longer.resize(record.size() + more);
      CHECK(refusal(key, longer, sample_entity()) == Code::kTampered);
    }
    for (size_t header_length :
         {size_t{0}, size_t{45}, size_t{47}, size_t{54}, record.size(), record.size() + 1, SIZE_MAX - 8, SIZE_MAX}) {
      CHECK_THROWS_CODE(unprotect(key, record, header_length, sample_entity()), Code::kTampered);
    }
  });
}

TEST(records_of_another_entity_are_told_from_altered_ones) {
  for_each_working_key([](const WorkingKey& key) {
    const Bytes record = protect(key, sample_header(), sample_entity(), sample_bytes(100));
    CHECK(refusal(key, record, sample_entity(1)) == Code::kEntityMismatch);
    CHECK(refusal(key, record, {}) == Code::kEntityMismatch);
    Bytes longer = sample_entity();
    longer.push_back(record[0]);  // entity and record are two fields, not one text cut elsewhere
    CHECK(refusal(key, record, longer) == Code::kEntityMismatch);
  });
}

TEST(records_are_refused_under_other_headers_and_keys) {
  for_each_working_key([](const WorkingKey& key) {
    const Bytes record = protect(key, sample_header(), sample_entity(), sample_bytes(100));
    Bytes swapped = protect(key, sample_header(7, 5), sample_entity(), sample_bytes(100));
    std::copy_n(record.begin(), 46, swapped.begin());
    CHECK(refusal(key, swapped, sample_entity()) == Code::kTampered);
    const Bytes bytes = sample_working(key.cipher());
    // Under another binding key the inner tag is right still; under another working key the binding tag is.
    WorkingKey other_binding(key.cipher(), key.hash(), bytes, sample_bytes(32, 1));
    CHECK(refusal(other_binding, record, sample_entity()) == Code::kEntityMismatch);
    WorkingKey other_key(key.cipher(), key.hash(), sample_working(key.cipher(), 200), sample_bytes(32, 76));
    CHECK(refusal(other_key, record, sample_entity()) == Code::kTampered);
    WorkingKey neither(key.cipher(), key.hash(), sample_working(key.cipher(), 200), sample_bytes(32, 1));
    CHECK(refusal(neither, record, sample_entity()) == Code::kTampered);
  });
}

TEST(records_are_rebound_after_they_were_verified) {
  for_each_working_key([](const WorkingKey& key) {
    const Bytes plaintext = sample_bytes(100), header = sample_header(), from = sample_entity(), to = sample_entity(1);
    const Bytes record = protect(key, header, from, plaintext);
    Bytes rebound = rebind_record(key, record, header.size(), from, to);
    CHECK(unprotect(key, rebound, header.size(), to) == plaintext);
    CHECK(refusal(key, rebound, from) == Code::kEntityMismatch);
    const size_t covered = record.size() - (key.hash() == HashKind::kSha256 ? 32 : 20);
    CHECK(std::equal(record.begin(), record.begin() + static_cast<long>(covered), rebound.begin()));
    CHECK(rebind_record(key, rebound, header.size(), to, from) == record);
    CHECK_THROWS_CODE(rebind_record(key, record, header.size(), to, from), Code::kEntityMismatch);
    Bytes changed = record;
    changed[50] ^= 1;
    CHECK_THROWS_CODE(rebind_record(key, changed, header.size(), from, to), Code::kTampered);
    CHECK_THROWS_CODE(rebind_record(key, {}, header.size(), from, to), Code::kTampered);
  });
}

TEST(records_are_reencrypted_between_all_kinds_of_keys) {
  const Bytes header = sample_header(), new_header = sample_header(30, 9), entity = sample_entity();
  for_each_working_key([&](const WorkingKey& key) {
    for_each_working_key([&](const WorkingKey& target) {
      for (size_t size : {size_t{0}, size_t{8}, size_t{1000}}) {
        const Bytes record = protect(key, header, entity, sample_bytes(size));
        Bytes fresh = reencrypt_record(key, record, header.size(), entity, target, new_header);
        CHECK(unprotect(target, fresh, new_header.size(), entity) == sample_bytes(size));
        CHECK_THROWS_CODE(reencrypt_record(key, record, header.size(), sample_entity(1), target, new_header),
                          Code::kEntityMismatch);
      }
    });
    // A key's record under the same key, whose contexts are used one after the other.
    const Bytes record = protect(key, header, entity, sample_bytes(9));
    Bytes fresh = reencrypt_record(key, record, header.size(), entity, key, header);
    CHECK(fresh != record);
    CHECK(unprotect(key, fresh, header.size(), entity) == sample_bytes(9));
  });
}

TEST(records_of_more_than_a_gibibyte_are_refused) {
  for_each_working_key([](const WorkingKey& key) {
    CHECK_THROWS_CODE(record_length(key, 46, kMaxRecordText + 1), Code::kInvalidArgument);
    CHECK_THROWS_CODE(record_length(key, kMaxRecordText + 1, 0), Code::kInvalidArgument);
    CHECK(record_length(key, 46, kMaxRecordText) > kMaxRecordText);
  });
}

TEST(records_are_made_by_threads_that_share_a_key) {
  for_each_working_key([](const WorkingKey& key) {
    std::atomic<int> right{0};
    auto work = [&](uint32_t seed) {
      for (int i = 0; i < 200; ++i) {
        const Bytes plaintext = sample_bytes(300, seed), entity = sample_entity(seed);
        right += unprotect(key, protect(key, sample_header(), entity, plaintext), 46, entity) == plaintext;
      }
    };
    std::thread other(work, 1);
    work(2);
    other.join();
    CHECK_EQ(right.load(), 400);
  });
}

}  // namespace
}  // namespace callseal::test
