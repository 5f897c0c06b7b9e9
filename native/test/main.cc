// Runs the core tests in one process.
//
//   core_tests [part of a test's name]
//
// The crypto module is the one of the environment: see module_from_environment.h.
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "module_from_environment.h"
#include "test.h"

namespace {

using callseal::test::TestCase;

enum class Outcome { kPassed, kFailed, kSkipped };

Outcome run(const TestCase& test) {
  try {
    test.run();
    // What a caller would meet later and take for its own failure.
    if (ERR_peek_error() != 0) throw callseal::test::Failure("left OpenSSL's error queue filled");
    printf("ok      %s\n", test.name);
    return Outcome::kPassed;
  } catch (const callseal::test::Skip& skip) {
    printf("skipped %s: %s\n", test.name, skip.what());
    return Outcome::kSkipped;
  } catch (const std::exception& error) {
    printf("FAILED  %s\n        %s\n", test.name, error.what());
    callseal::take_openssl_errors();
    return Outcome::kFailed;
  }
}

}  // namespace

int main(int argc, char** argv) {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  try {
    callseal::test::initialise_module_from_environment();
  } catch (const std::exception& error) {
    fprintf(stderr, "core_tests: %s\n", error.what());
    return 2;
  }
  int passed = 0, failed = 0, skipped = 0;
  for (const TestCase& test : callseal::test::registry()) {
    if (argc > 1 && strstr(test.name, argv[1]) == nullptr) continue;
    switch (run(test)) {
      case Outcome::kPassed:
        passed++;
        break;
      case Outcome::kFailed:
        failed++;
        break;
      case Outcome::kSkipped:
        skipped++;
        break;
    }
  }
  printf("%d passed, %d failed", passed, failed);
  if (skipped > 0) printf(", %d skipped", skipped);
  printf("\n");
  return failed > 0 || passed == 0 ? 1 : 0;
}
