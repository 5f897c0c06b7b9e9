// Memory that runs out on purpose. In this program operator new and OpenSSL's allocations, the crypto module's too, go
// through one counter.
#pragma once

#include <stdlib.h>
#include <string.h>

#include <new>
#include <string>

#include "error.h"
#include "out_of_memory.h"
#include "test.h"

namespace callseal::test {

// While one lives, the n-th allocation of all threads fails.
class AllocationFault {
 public:
  explicit AllocationFault(long nth);
  ~AllocationFault();
  AllocationFault(const AllocationFault&) = delete;
  AllocationFault& operator=(const AllocationFault&) = delete;

  bool happened() const;
};

// Whether there is time for all of them: CALLSEAL_LONG is 1.
inline bool every_one_fails() {
  const char* is_long = getenv("CALLSEAL_LONG");
  return is_long != nullptr && strcmp(is_long, "1") == 0;
}

// Where memory runs out while OpenSSL updates the blinding of an RSA key (BN_BLINDING_update), the key opens nothing
// until the blinding is made anew, every 32 operations. Nothing can be done about it from outside: SECURITY.md,
// "Faults".
constexpr int kRenewsBlinding = 40;
inline bool spoiled_blinding(const std::string& refusal) {
  return refusal.find("the wrapped key does not open") != std::string::npos;
}

// Lets every allocation of `work` fail, one after the other: it is done all the same, or throws std::bad_alloc as the
// addon would see it, and never that a file was altered or a passphrase wrong. `prepare` is called before each, `check`
// after each, with whether the work was done. Returns how many there were. A `step` is for slow work:
// only every so many fail, unless there is time for all.
template <typename Prepare, typename Work, typename Check>
int fail_every_allocation(Prepare&& prepare, Work&& work, Check&& check, int step = 1) {
  if (every_one_fails()) step = 1;
  prepare();
  work();  // what is allocated once a process is there now
  check(true);
  int spoiled = 0;
  for (int nth = 1;; nth += step) {
    bool happened = false, done = false;
    prepare();
    std::string refusal;
    refusal.reserve(1000);  // not to be allocated while it fails
    {
      AllocationFault fault(nth);
      try {
        telling_of_memory(work);
        done = true;
      } catch (const std::bad_alloc&) {
      } catch (const Error& error) {
        refusal = error.what();
      }
      happened = fault.happened();
    }
    const std::string at = "allocation " + std::to_string(nth);
    if (spoiled_blinding(refusal) && ++spoiled < kRenewsBlinding) {
      nth -= step;
      continue;
    }
    spoiled = 0;
    if (!refusal.empty()) throw Failure(at + " is told as: " + refusal);
    if (!done && !happened) throw Failure(at + " did not fail, and yet the work was not done");
    const std::vector<std::string> left = take_openssl_errors();
    if (!left.empty()) throw Failure(at + " left OpenSSL's error queue filled: " + left.front());
    check(done);
    if (!happened) return nth - 1;
  }
}

template <typename Work>
int fail_every_allocation(Work&& work, int step = 1) {
  return fail_every_allocation([] {}, work, [](bool) {}, step);
}

}  // namespace callseal::test
