// Keeps OpenSSL's error queue as it was found.
#pragma once

#include <openssl/err.h>

namespace callseal {

// Drops what is queued while it lives: decoding by trial fails many times before it succeeds.
class QuietErrors {
 public:
  QuietErrors() { ERR_set_mark(); }
  ~QuietErrors() { ERR_pop_to_mark(); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;
};

}  // namespace callseal
