#include "token_key.h"

#include "module.h"
#include "oaep_unpad.h"
#include "pkcs11_error.h"

namespace callseal {
namespace {

using namespace pkcs11;

constexpr char kDoesNotOpen[] = "the wrapped key does not open with the private key it was made for";

// DER of DigestInfo up to the digest (RFC 8017 section 9.2, note 1).
constexpr uint8_t kSha1Info[] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2B, 0x0E,
                                 0x03, 0x02, 0x1A, 0x05, 0x00, 0x04, 0x14};
constexpr uint8_t kSha256Info[] = {0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                   0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

// Hashing stays in the module; the token gets the digest.
Bytes digest_of(SignatureScheme scheme, ByteView data) {
  const Module& module = Module::get();
  Bytes digest(EVP_MAX_MD_SIZE);
  size_t length = 0;
  bool ok = EVP_Q_digest(module.context(), signature_digest(scheme), module.properties(), data.data(), data.size(),
                         digest.data(), &length) == 1;
  require_openssl(ok, "hashing what is to be signed");
  digest.resize(length);
  return digest;
}

Bytes digest_info(SignatureScheme scheme, const Bytes& digest) {
  ByteView prefix = scheme == SignatureScheme::kPkcs1Sha1 ? ByteView(kSha1Info) : ByteView(kSha256Info);
  Bytes info = prefix.copy();
  info.insert(info.end(), digest.begin(), digest.end());
  return info;
}

Pkcs11Template& describe_key(Pkcs11Template& wanted, Ulong object_class, const TokenAddress& address) {
  wanted.number(kClass, object_class);
  if (address.object_label) wanted.bytes(kLabel, ByteView::of(*address.object_label));
  if (address.object_id) wanted.bytes(kId, *address.object_id);
  return wanted;
}

std::string name_of(const TokenAddress& address) {
  return address.object_label ? "key \"" + *address.object_label + "\"" : "key";
}

ObjectHandle find_key(Pkcs11Session& session, const TokenAddress& address) {
  Pkcs11Template wanted;
  std::vector<ObjectHandle> found = session.find(describe_key(wanted, kPrivateKeyObject, address), 2);
  if (found.empty()) {
    throw Error(Code::kNoMatchingKey, session.token().describe() + " has no private " + name_of(address) +
                                          (address.object_id ? " with that id" : "") +
                                          "; look what it has with: pkcs11-tool --login -O");
  }
  if (found.size() > 1) {
    throw Error(Code::kInvalidArgument, session.token().describe() +
                                            " has several private keys that fit; name one "
                                            "by its id (id=… in the URI)");
  }
  return found[0];
}

// Most tokens keep the exponent with the private key; the rest with the public one of the same id.
std::optional<Bytes> public_exponent(Pkcs11Session& session, ObjectHandle key) {
  std::optional<Bytes> exponent = session.attribute(key, kPublicExponent);
  if (exponent && !exponent->empty()) return exponent;
  std::optional<Bytes> id = session.attribute(key, kId);
  if (!id || id->empty()) return std::nullopt;
  Pkcs11Template wanted;
  wanted.number(kClass, kPublicKeyObject).bytes(kId, *id);
  std::vector<ObjectHandle> found = session.find(wanted, 1);
  return found.empty() ? std::nullopt : session.attribute(found[0], kPublicExponent);
}

bool is_rsa(Pkcs11Session& session, ObjectHandle key) {
  std::optional<Bytes> type = session.attribute(key, kKeyType);
  Bytes rsa(sizeof(Ulong), 0);  // CKK_RSA is 0, in every byte order
  static_assert(kRsaKeyType == 0);
  return type == rsa;
}

RsaNumbers read_numbers(Pkcs11Session& session, ObjectHandle key, const std::string& where) {
  if (!is_rsa(session, key)) throw Error(Code::kKeyUnreadable, where + " is not an RSA key");
  std::optional<Bytes> modulus = session.attribute(key, kModulus);
  std::optional<Bytes> exponent = public_exponent(session, key);
  if (!modulus || modulus->empty() || !exponent || exponent->empty()) {
    throw Error(Code::kKeyUnreadable, where + ": the token does not tell the public numbers of the key");
  }
  return {std::move(*modulus), std::move(*exponent)};
}

}  // namespace

TokenKey::TokenKey(const TokenAddress& address, const Passphrase& pin)
    : module_(Pkcs11Module::load(address.module_path)),
      address_(address),
      pin_(pin.bytes().begin(), pin.bytes().end()) {}

std::shared_ptr<TokenKey> TokenKey::open(const TokenAddress& address, const Passphrase& pin) {
  std::shared_ptr<TokenKey> key(new TokenKey(address, pin));
  key->connection_ = key->connect();
  Connection& connection = *key->connection_;
  const Token& token = connection.session.token();
  key->where_ = name_of(address) + " in the " + token.describe();
  key->token_kind_ = token.model + (token.manufacturer.empty() ? "" : " of " + token.manufacturer);
  key->numbers_ = read_numbers(connection.session, connection.key, key->where_);
  return key;
}

std::unique_ptr<TokenKey::Connection> TokenKey::connect() const {
  if (pin_.empty()) {
    throw Error(Code::kWrongPassphrase, where_ +
                                            ": the token has refused the PIN; so that it does not lock itself, it "
                                            "is not tried again: open the key anew with the right one");
  }
  module_.initialise();
  auto connection = std::make_unique<Connection>(module_, module_.find_token(address_));
  connection->login = log_in(connection->session);
  connection->key = find_key(connection->session, address_);
  if (!numbers_.modulus.empty() && connection->session.attribute(connection->key, kModulus) != numbers_.modulus) {
    throw Error(Code::kKeySubstituted, where_ + ": the token now has another key at this address");
  }
  return connection;
}

std::shared_ptr<const TokenLogin> TokenKey::log_in(Pkcs11Session& session) const {
  try {
    return TokenLogin::log_in(module_, session, view(pin_));
  } catch (const Pkcs11Error& error) {
    if (!error.pin_refused()) throw;
    pin_ = SecretBytes();
    Ulong flags = module_.find_token(address_).flags;
    if (error.code() != Code::kWrongPassphrase || (flags & kUserPinFinalTry) == 0) throw;
    throw Error(error.code(), std::string(error.what()) + "; the token says that the next wrong PIN locks it");
  }
}

template <typename Work>
auto TokenKey::with_connection(Work&& work) const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (connection_ != nullptr) {
    try {
      return work(*connection_);
    } catch (const Pkcs11Error& error) {
      if (!error.connection_lost()) throw;
    }
    connection_.reset();
  }
  connection_ = connect();
  return work(*connection_);
}

Bytes TokenKey::sign(SignatureScheme scheme, ByteView data) const {
  Bytes digest = digest_of(scheme, data);
  PssParameters pss{kSha256Mechanism, kMgf1Sha256, digest.size()};
  bool is_pss = scheme == SignatureScheme::kPssSha256;
  Mechanism mechanism = is_pss ? Mechanism{kRsaPkcsPss, &pss, sizeof pss} : Mechanism{kRsaPkcs, nullptr, 0};
  Bytes input = is_pss ? digest : digest_info(scheme, digest);
  return with_connection([&](Connection& connection) {
    return connection.session.sign(connection.key, mechanism, input, numbers_.modulus.size());
  });
}

SecretBytes TokenKey::decrypt(ByteView ciphertext) const {
  OaepParameters oaep{kSha256Mechanism, kMgf1Sha256, kDataSpecified, nullptr, 0};
  Mechanism mechanism = oaep_on_token_ ? Mechanism{kRsaPkcsOaep, &oaep, sizeof oaep} : Mechanism{kRsaX509, nullptr, 0};
  SecretBytes result = with_connection([&](Connection& connection) {
    return connection.session.decrypt(connection.key, mechanism, ciphertext, numbers_.modulus.size());
  });
  return oaep_on_token_ ? std::move(result) : unpad_oaep(view(result), numbers_.modulus.size());
}

SecretBytes TokenKey::find_out_decryption(ByteView ciphertext) {
  try {
    return decrypt(ciphertext);
  } catch (const Error&) {
    oaep_on_token_ = false;
  }
  try {
    return decrypt(ciphertext);
  } catch (const Pkcs11Error& error) {
    throw Error(Code::kKeyUnreadable,
                where_ + " can be used neither for OAEP with SHA-256 nor for plain RSA: " + error.what());
  }
}

SecretBytes TokenKey::decrypt_oaep(ByteView ciphertext) const {
  if (ciphertext.size() != numbers_.modulus.size()) throw Error(Code::kTampered, kDoesNotOpen);
  try {
    return decrypt(ciphertext);
  } catch (const Pkcs11Error& error) {
    if (error.input_refused()) throw Error(Code::kTampered, kDoesNotOpen);
    throw;
  }
}

std::string TokenKey::outside() const {
  std::string text = "the private " + where_ + " is used in the token (" + token_kind_ + "), outside the FIPS module";
  if (!oaep_on_token_) {
    text +=
        "; the token does not offer OAEP with SHA-256, so it does plain RSA, and OpenSSL's libcrypto takes the OAEP "
        "padding off in this process";
  }
  return text;
}

}  // namespace callseal
