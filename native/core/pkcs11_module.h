// A PKCS#11 module: the library of a token's maker, loaded once in a process, and the tokens it knows.
//
// Lifetime: never finalised and never unloaded. Pool threads may be inside it when the process exits, and other code
// of the process may use the same library, which C_Finalize would take away from it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bytes.h"
#include "out_of_memory.h"
#include "pkcs11_types.h"

namespace callseal {

// Where a key is: see TokenAddress in lib/native/keys-binding.ts. What is absent, any value fits.
struct TokenAddress {
  std::string module_path;
  std::optional<std::string> token_label;
  std::optional<std::string> serial;
  std::optional<std::string> object_label;
  std::optional<Bytes> object_id;
};

// A token that is there and initialised.
struct Token {
  pkcs11::SlotId slot = 0;
  std::string label;
  std::string serial;
  std::string model;
  std::string manufacturer;
  pkcs11::Ulong flags = 0;

  // Such as `token "callseal" (serial 1a2b)`.
  std::string describe() const;
  bool needs_login() const { return (flags & pkcs11::kLoginRequired) != 0; }
};

class Pkcs11Module {
 public:
  // Loads the library bound to the system's libcrypto, should it link one, and initialises it with the operating
  // system's locks. kInvalidArgument unless the path is absolute; kKeyUnreadable.
  static const Pkcs11Module& load(const std::string& path);

  // Calls one of the library's functions, such as &pkcs11::FunctionList::C_Login.
  template <typename... Parameters, typename... Arguments>
  pkcs11::Rv call(pkcs11::Rv (*pkcs11::FunctionList::*function)(Parameters...), Arguments... arguments) const {
    const KeptErrno kept;
    return (functions_->*function)(arguments...);
  }
  // Initialises the library, unless it is: other code of the process may have finalised it. kKeyUnreadable.
  void initialise() const;
  std::vector<Token> tokens() const;
  // The only token that fits. kKeyUnreadable, naming what there is; kInvalidArgument when there are more.
  Token find_token(const TokenAddress& address) const;

 private:
  Pkcs11Module(std::string path, const pkcs11::FunctionList* functions);

  std::string path_;
  const pkcs11::FunctionList* functions_;
};

}  // namespace callseal
