// Memory that runs out, told from what it looks like.
#pragma once

#include <errno.h>

#include <new>

#include "error.h"

namespace callseal {

// Runs `work`. What it throws because memory ran out becomes std::bad_alloc, whatever it was taken for: OpenSSL returns
// 0 when it has no memory as it does for a wrong padding, and an RSA operation that failed for that would be told as an
// altered file, a certificate as undecodable. malloc says ENOMEM, which nothing overwrites on the way out. A system
// call that was refused for it (kIo) is told as it is.
template <typename Work>
auto telling_of_memory(Work&& work) -> decltype(work()) {
  errno = 0;
  try {
    return work();
  } catch (const Error& error) {
    if (errno != ENOMEM || error.code() == Code::kIo) throw;
    take_openssl_errors();
    throw std::bad_alloc();
  } catch (const std::bad_alloc&) {
    take_openssl_errors();
    throw;
  }
}

}  // namespace callseal
