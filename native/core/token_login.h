// The PINs that tokens have accepted from this process.
//
// A login is the whole process's: while it lasts, a token opens sessions without looking at a PIN. So that a wrong one
// is noticed all the same, it is compared with the one that was accepted.
#pragma once

#include <memory>

#include "pkcs11_session.h"

namespace callseal {

// Kept by everyone who has logged in, as long as their session lives.
class TokenLogin {
 public:
  // Pkcs11Error when the token refuses the PIN; kWrongPassphrase when this process is logged in with another. One that
  // other code of the process has logged in by itself is taken as it is. Null where the token asks for no PIN.
  static std::shared_ptr<const TokenLogin> log_in(const Pkcs11Module& module, Pkcs11Session& session, ByteView pin);

  ByteView pin() const { return view(pin_); }

 private:
  explicit TokenLogin(ByteView pin) : pin_(pin.begin(), pin.end()) {}
  SecretBytes pin_;
};

}  // namespace callseal
