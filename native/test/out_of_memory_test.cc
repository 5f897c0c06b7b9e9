#include "out_of_memory.h"

#include "floe.h"
#include "record_cipher.h"
#include "scratch.h"
#include "secret_key.h"
#include "test.h"

namespace callseal::test {
namespace {

// Work that met ENOMEM, perhaps did without, and failed with that code.
void fail(Code code) {
  telling_of_memory([code] {
    errno = ENOMEM;
    throw Error(code, "failed");
  });
}

bool is_told_as_memory(Code code) {
  try {
    fail(code);
  } catch (const std::bad_alloc&) {
    return true;
  } catch (const Error& error) {
    CHECK(error.code() == code);
  }
  return false;
}

TEST(out_of_memory_is_what_failures_of_openssl_may_come_of) {
  for (Code code : {Code::kCrypto, Code::kFipsUnavailable, Code::kNotApproved, Code::kTampered, Code::kNotCms,
                    Code::kCertificateUnreadable, Code::kKeyUnreadable, Code::kWrongPassphrase,
                    Code::kPassphraseRequired, Code::kKeySubstituted}) {
    CHECK(is_told_as_memory(code));
    errno = ENOMEM;  // of something before the work
    CHECK_THROWS_CODE(telling_of_memory([code] { throw Error(code, "failed"); }), code);
  }
}

TEST(out_of_memory_is_not_what_other_failures_are_told_as) {
  for (Code code : {Code::kNotIsolated, Code::kInvalidArgument, Code::kNoMatchingKey, Code::kKeyUse,
                    Code::kAlreadyEncrypted, Code::kTruncated, Code::kInputChanged, Code::kInputBusy,
                    Code::kOutputExists, Code::kIo, Code::kAborted, Code::kNotExportable, Code::kEntityMismatch}) {
    CHECK(!is_told_as_memory(code));
  }
}

// What an allocation before the decision left in errno: malloc leaves ENOMEM also when it finds memory elsewhere.
TEST(out_of_memory_is_not_what_a_wrong_tag_is_told_as) {
  const SecretKey body(KeyUse::kFloe, sample_bytes(32, 1));
  const FloeMessage message = FloeMessage::create(body, {}, 1024);
  Bytes segment(kFloeSegmentOverhead + 100);
  FloeCipher(message).encrypt(0, true, sample_bytes(100, 2), segment.data());
  segment[60] ^= 1;
  const auto after_an_allocation = [](auto&& work) {
    return [work] {
      errno = ENOMEM;
      work();
    };
  };
  Bytes out(100);
  FloeCipher cipher(message);
  CHECK_THROWS_CODE(telling_of_memory(after_an_allocation([&] { cipher.decrypt(0, true, segment, out.data()); })),
                    Code::kTampered);

  const SecretKey wrap(KeyUse::kGcm, sample_bytes(32, 3));
  Bytes sealed = wrap.encrypt_gcm(out, {});
  sealed.back() ^= 1;
  CHECK_THROWS_CODE(telling_of_memory(after_an_allocation([&] { wrap.decrypt_gcm(sealed, {}); })), Code::kTampered);

  const Bytes key = sample_bytes(32, 4);
  const std::unique_ptr<RecordCipher> records = make_gcm_record_cipher(key);
  Bytes record(1 + records->sealed_length(out.size()));
  records->seal(record.data(), 1, out);
  record.back() ^= 1;
  errno = ENOMEM;
  CHECK(!records->open(record, 1, out.data()).has_value());
  CHECK_EQ(errno, 0);
}

TEST(errno_of_a_library_is_not_ours) {
  errno = 0;
  {
    const KeptErrno kept;
    errno = ENOMEM;
  }
  CHECK_EQ(errno, 0);
}

}  // namespace
}  // namespace callseal::test
