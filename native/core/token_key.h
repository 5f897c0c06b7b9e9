// One private key in a token while it is used: the session, and what to do when it breaks.
#pragma once

#include <memory>
#include <mutex>

#include "passphrase.h"
#include "pkcs11_session.h"
#include "rsa_key.h"
#include "token_login.h"

namespace callseal {

// Big-endian, as the token gives them.
struct RsaNumbers {
  Bytes modulus;
  Bytes exponent;
};

// One session, used by one thread at a time: a token is not faster for being asked twice.
class TokenKey : public RemotePrivateKey {
 public:
  static std::shared_ptr<TokenKey> open(const TokenAddress& address, const Passphrase& pin);

  const RsaNumbers& numbers() const { return numbers_; }
  // For messages: the token and the key.
  const std::string& where() const { return where_; }
  // A sentence for PrivateKey::unwrapped_outside.
  std::string outside() const;

  // Opens `ciphertext` by OAEP on the token, or else by plain RSA there and unpadding here, which remains the way of
  // this key. To be called once, before decrypt_oaep.
  SecretBytes find_out_decryption(ByteView ciphertext);

  Bytes sign(SignatureScheme scheme, ByteView data) const override;
  SecretBytes decrypt_oaep(ByteView ciphertext) const override;

 private:
  // The session with the key's handle in it.
  struct Connection {
    Connection(const Pkcs11Module& module, Token token) : session(module, std::move(token), /*writable=*/false) {}
    Pkcs11Session session;
    std::shared_ptr<const TokenLogin> login;
    pkcs11::ObjectHandle key = 0;
  };

  TokenKey(const TokenAddress& address, const Passphrase& pin);
  std::unique_ptr<Connection> connect() const;
  std::shared_ptr<const TokenLogin> log_in(Pkcs11Session& session) const;
  // Runs `work`, and once more in a new session when the connection was lost.
  template <typename Work>
  auto with_connection(Work&& work) const;
  // OAEP in the way of this key.
  SecretBytes decrypt(ByteView ciphertext) const;

  const Pkcs11Module& module_;
  TokenAddress address_;
  RsaNumbers numbers_;
  std::string where_;
  std::string token_kind_;
  bool oaep_on_token_ = true;
  mutable std::mutex mutex_;
  mutable SecretBytes pin_;  // empty once the token has refused it
  mutable std::unique_ptr<Connection> connection_;
};

}  // namespace callseal
