#include "pkcs11_key.h"

#include <openssl/param_build.h>
#include <openssl/rand.h>

#include "error.h"
#include "module.h"
#include "pkcs11_session.h"
#include "quiet_errors.h"
#include "token_key.h"

namespace callseal {
namespace {

using namespace pkcs11;

using ParamBuilderPtr = OpensslPtr<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using ParamsPtr = OpensslPtr<OSSL_PARAM, OSSL_PARAM_free>;

constexpr size_t kGeneratedIdBytes = 16;

BignumPtr to_number(const Bytes& big_endian) {
  BignumPtr number(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr));
  require_openssl(number != nullptr, "reading the public key of a token");
  return number;
}

std::shared_ptr<const PublicKey> make_public_key(const RsaNumbers& numbers, const std::string& where) {
  const Module& module = Module::get();
  BignumPtr modulus = to_number(numbers.modulus), exponent = to_number(numbers.exponent);
  ParamBuilderPtr builder(OSSL_PARAM_BLD_new());
  PkeyCtxPtr context(EVP_PKEY_CTX_new_from_name(module.context(), "RSA", module.properties()));
  require_openssl(builder != nullptr && context != nullptr &&
                      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) == 1 &&
                      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) == 1,
                  "reading the public key of a token");
  ParamsPtr parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  EVP_PKEY* key = nullptr;
  bool ok = parameters != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1 &&
            EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) == 1;
  if (!ok) throw Error::openssl(Code::kKeyUnreadable, where + ": the crypto module refuses the key's public numbers");
  return std::make_shared<const PublicKey>(PkeyPtr(key));
}

// Whether what is wrapped with the public key opens: the two belong together, and the token lets the key decrypt.
void try_out(TokenKey& key, const PublicKey& public_key) {
  SecretKey secret = SecretKey::generate(KeyUse::kContent);
  Bytes wrapped(public_key.modulus_bytes());
  public_key.wrap(secret, wrapped.data());
  SecretBytes opened = key.find_out_decryption(wrapped);
  ByteView expected = secret.bytes_for(KeyUse::kContent);
  if (opened.size() != expected.size() || CRYPTO_memcmp(opened.data(), expected.data(), expected.size()) != 0) {
    throw Error(Code::kKeyUnreadable, key.where() +
                                          ": the private and the public numbers of the key do not belong "
                                          "together, or the token decrypts wrongly");
  }
}

PrivateKey finish(std::shared_ptr<TokenKey> key) {
  std::shared_ptr<const PublicKey> public_key = make_public_key(key->numbers(), key->where());
  try_out(*key, *public_key);
  std::string outside = key->outside();
  return PrivateKey(std::move(key), std::move(public_key), std::move(outside));
}

Bytes random_id() {
  Bytes id(kGeneratedIdBytes);
  require_openssl(RAND_bytes_ex(Module::get().context(), id.data(), id.size(), 0) == 1, "making up a key's id");
  return id;
}

void require_free(Pkcs11Session& session, const TokenAddress& address) {
  Pkcs11Template same_label, same_id;
  same_label.number(kClass, kPrivateKeyObject).bytes(kLabel, ByteView::of(*address.object_label));
  bool taken = !session.find(same_label, 1).empty();
  if (address.object_id) {
    same_id.number(kClass, kPrivateKeyObject).bytes(kId, *address.object_id);
    taken = taken || !session.find(same_id, 1).empty();
  }
  if (taken) {
    throw Error(Code::kOutputExists, session.token().describe() + " has a private key labelled \"" +
                                         *address.object_label +
                                         "\" already, or one of that id; keys are never "
                                         "replaced: choose another label");
  }
}

// Removes a pair that nobody has used yet, unless it is kept.
class NewPair {
 public:
  NewPair(Pkcs11Session& session, Pkcs11KeyPair pair) : session_(session), pair_(pair) {}
  ~NewPair() {
    if (kept_) return;
    for (ObjectHandle object : {pair_.private_key, pair_.public_key}) {
      try {
        session_.destroy(object);
      } catch (const Error&) {
        // The reason why the pair is not wanted is told already.
      }
    }
  }
  NewPair(const NewPair&) = delete;
  NewPair& operator=(const NewPair&) = delete;
  void keep() { kept_ = true; }

 private:
  Pkcs11Session& session_;
  Pkcs11KeyPair pair_;
  bool kept_ = false;
};

Pkcs11KeyPair generate_pair(Pkcs11Session& session, const TokenAddress& address, int bits) {
  const uint8_t exponent[] = {1, 0, 1};
  Pkcs11Template public_key, private_key;
  public_key.flag(kToken, true).flag(kPrivate, false).flag(kEncrypt, true).flag(kVerify, true);
  public_key.number(kModulusBits, static_cast<Ulong>(bits)).bytes(kPublicExponent, exponent);
  private_key.flag(kToken, true).flag(kPrivate, true).flag(kSensitive, true).flag(kExtractable, false);
  private_key.flag(kDecrypt, true).flag(kSign, true);
  for (Pkcs11Template* each : {&public_key, &private_key}) {
    each->bytes(kLabel, ByteView::of(*address.object_label)).bytes(kId, *address.object_id);
  }
  return session.generate({kRsaPkcsKeyPairGen, nullptr, 0}, public_key, private_key);
}

// A token may make what it likes of a template.
void require_kept_inside(Pkcs11Session& session, ObjectHandle key) {
  if (session.flag(key, kSensitive) == true && session.flag(key, kExtractable) == false) return;
  throw Error(Code::kNotApproved,
              session.token().describe() + " made a key that it would give out; it is not used, and was removed");
}

}  // namespace

PrivateKey generate_token_key(const TokenAddress& address, int bits, const Passphrase& pin) {
  QuietErrors quiet;
  if (bits != 2048 && bits != 3072 && bits != 4096) {
    throw Error(Code::kInvalidArgument, "RSA keys are made with 2048, 3072 or 4096 bits, not " + std::to_string(bits));
  }
  if (!address.object_label || address.object_label->empty()) {
    throw Error(Code::kInvalidArgument, "a key in a token needs a label (object=… in its URI)");
  }
  const Pkcs11Module& module = Pkcs11Module::load(address.module_path);
  module.initialise();
  TokenAddress exact = address;
  if (!exact.object_id) exact.object_id = random_id();
  Pkcs11Session session(module, module.find_token(address), /*writable=*/true);
  std::shared_ptr<const TokenLogin> login = TokenLogin::log_in(module, session, pin.bytes());
  require_free(session, exact);
  Pkcs11KeyPair handles = generate_pair(session, exact, bits);
  NewPair pair(session, handles);
  require_kept_inside(session, handles.private_key);
  PrivateKey key = finish(TokenKey::open(exact, pin));
  pair.keep();
  return key;
}

PrivateKey open_token_key(const TokenAddress& address, const Passphrase& pin) {
  QuietErrors quiet;
  return finish(TokenKey::open(address, pin));
}

}  // namespace callseal
