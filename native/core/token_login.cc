#include "token_login.h"

#include <map>
#include <mutex>

#include "error.h"

namespace callseal {
namespace {

using TokenName = std::pair<const Pkcs11Module*, std::string>;

bool same(ByteView a, ByteView b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::shared_ptr<const TokenLogin> TokenLogin::log_in(const Pkcs11Module& module, Pkcs11Session& session, ByteView pin) {
  static std::mutex mutex;
  static auto& logins = *new std::map<TokenName, std::weak_ptr<const TokenLogin>>();  // as long as the process
  const Token& token = session.token();
  if (!token.needs_login()) return nullptr;
  // Held over the login, or another thread could find itself logged in by a PIN that is not known yet.
  std::lock_guard<std::mutex> lock(mutex);
  std::weak_ptr<const TokenLogin>& slot = logins[{&module, token.describe()}];
  std::shared_ptr<const TokenLogin> accepted = slot.lock();
  if (session.login(pin) || accepted == nullptr) {
    accepted.reset(new TokenLogin(pin));
    slot = accepted;
  } else if (!same(accepted->pin(), pin)) {
    throw Error(Code::kWrongPassphrase,
                token.describe() + ": the PIN is not the one that this process is logged in with");
  }
  return accepted;
}

}  // namespace callseal
