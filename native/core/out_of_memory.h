// Memory that runs out, told from what it looks like.
#pragma once

#include <errno.h>

#include <new>

#include "error.h"

namespace callseal {

// Whether memory that ran out within OpenSSL can be what an error of that code comes from.
bool may_come_of_memory(Code code);

// After a failure of OpenSSL for which an error of another code is to be thrown, or none: std::bad_alloc where memory
// is the reason.
inline void require_memory() {
  if (errno == ENOMEM) throw std::bad_alloc();
}

// Before calls that need no memory, and where a comparison has decided: what an allocation left in errno says nothing
// about those. malloc leaves ENOMEM also when it finds memory elsewhere, as it does in a process whose heap cannot grow
// where it lies: Node's, when V8 has put code behind it.
inline void forget_memory() {
  errno = 0;
}

// A library that is not ours may meet ENOMEM and do without, such as where pages cannot be locked.
class KeptErrno {
 public:
  KeptErrno() : kept_(errno) {}
  ~KeptErrno() { errno = kept_; }
  KeptErrno(const KeptErrno&) = delete;
  KeptErrno& operator=(const KeptErrno&) = delete;

 private:
  int kept_;
};

// Runs `work`. What it throws because memory ran out becomes std::bad_alloc, whatever it was taken for: OpenSSL returns
// 0 when it has no memory as it does for a wrong padding, and an RSA operation that failed for that would be told as an
// altered file, a certificate as undecodable. malloc says ENOMEM, which nothing overwrites on the way out. Codes that
// tell of nothing that OpenSSL did stay as they are.
template <typename Work>
auto telling_of_memory(Work&& work) -> decltype(work()) {
  errno = 0;
  try {
    return work();
  } catch (const Error& error) {
    if (errno != ENOMEM || !may_come_of_memory(error.code())) throw;
    take_openssl_errors();
    throw std::bad_alloc();
  } catch (const std::bad_alloc&) {
    take_openssl_errors();
    throw;
  }
}

}  // namespace callseal
