#include "out_of_memory.h"

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
