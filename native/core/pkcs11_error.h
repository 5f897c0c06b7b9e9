// What a token answers when it does not do what it was asked.
#pragma once

#include "error.h"
#include "pkcs11_types.h"

namespace callseal {

class Pkcs11Error : public Error {
 public:
  // `what` was asked of `where`, such as `the token "callseal" (serial 1a2b)`.
  Pkcs11Error(pkcs11::Rv rv, const std::string& what, const std::string& where);

  pkcs11::Rv rv() const { return rv_; }
  // The session, the login, the key's handle or the token went away: a new session may bring them back.
  bool connection_lost() const;
  // The token did not take the PIN; another attempt with the same one would bring it nearer to locking itself.
  bool pin_refused() const;
  // Of decryption: what tokens answer to a ciphertext that is none of the key's. They do not agree on one code.
  bool input_refused() const;

 private:
  pkcs11::Rv rv_;
};

// Throws Pkcs11Error unless `rv` is CKR_OK; std::bad_alloc for CKR_HOST_MEMORY.
void require_pkcs11(pkcs11::Rv rv, const char* what, const std::string& where);

}  // namespace callseal
