// Public and private keys and what is done with them, in the module's context. Signing and verifying: signature.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bytes.h"
#include "digest.h"
#include "ec_key.h"
#include "openssl_ptr.h"
#include "rsa_contexts.h"
#include "secret_key.h"

namespace callseal {

// RSA sizes Callseal accepts for recipients, in bits.
constexpr int kMinRsaBits = 2048;
constexpr int kMaxRsaBits = 8192;

// Signature schemes. PSS salts are as long as the hash (FIPS 186-5 section 5.4). SHA-1 is for key hierarchies that ask
// for it, where the module signs with it. ECDSA signatures are r ‖ s, each as long as the curve's numbers.
enum class SignatureScheme { kPssSha256, kPkcs1Sha256, kPkcs1Sha1, kEcdsaP256Sha256, kEcdsaP384Sha384 };

class PublicKey {
 public:
  // Takes the key over; it may be of any algorithm and any context (it is brought into the module's context on wrap).
  explicit PublicKey(PkeyPtr key);

  const std::string& algorithm() const { return algorithm_; }  // "RSA", "RSA-PSS", "EC", "ED25519", …
  int bits() const { return bits_; }
  // RSA with a public exponent that is odd and at least 65537 (SP 800-56B rev. 2 section 6.2).
  bool has_approved_exponent() const { return has_approved_exponent_; }
  // Bytes of the RSA modulus: the length of a wrapped key and of an RSA signature.
  size_t modulus_bytes() const { return (static_cast<size_t>(bits_) + 7) / 8; }
  // SHA-256 of the DER SubjectPublicKeyInfo.
  const Sha256& spki_sha256() const { return spki_sha256_; }
  // Null for keys that are not on a curve that Callseal signs with.
  std::optional<EcCurve> curve() const { return curve_; }
  EVP_PKEY* pkey() const { return key_.get(); }
  std::string to_pem() const;

  // RSA-OAEP with SHA-256 for both hashes and an empty label (RFC 8017 section 7.1). Only `content` keys are wrapped.
  // Writes modulus_bytes() bytes. kNotApproved for keys that are not RSA of 2048…8192 bits with an odd exponent
  // from 65537.
  void wrap(const SecretKey& key, uint8_t* out) const;
  // The same of bytes that are no content key, such as a master key.
  void encrypt_oaep(ByteView bytes, uint8_t* out) const;
  // The scheme in which a writer signs files with this key: none unless it is P-256, P-384, or RSA as wrap() has it.
  std::optional<SignatureScheme> writer_scheme() const;
  // Bytes of every signature in that scheme.
  size_t signature_length(SignatureScheme scheme) const;
  // kNotApproved for a key of another algorithm than the scheme's.
  bool verify(SignatureScheme scheme, ByteView data, ByteView signature) const;

 private:
  PkeyPtr key_;
  std::string algorithm_;
  int bits_;
  bool has_approved_exponent_;
  Sha256 spki_sha256_;
  std::optional<EcCurve> curve_;
  std::unique_ptr<OaepContexts> contexts_;
};

// An RSA private key that is used where it is: in a token. Safe for several threads.
class RemotePrivateKey {
 public:
  virtual ~RemotePrivateKey() = default;
  virtual Bytes sign(SignatureScheme scheme, ByteView data) const = 0;
  // RSA-OAEP with SHA-256 for both hashes and an empty label. kTampered, whatever is wrong with the padding.
  virtual SecretBytes decrypt_oaep(ByteView ciphertext) const = 0;
};

class PrivateKey {
 public:
  // `key` belongs to the module's context. `unwrapped_outside` is empty, or says what was done outside the module.
  PrivateKey(PkeyPtr key, std::string unwrapped_outside);
  PrivateKey(std::shared_ptr<const RemotePrivateKey> remote, std::shared_ptr<const PublicKey> public_key,
             std::string unwrapped_outside);
  // A fresh RSA key of 2048, 3072 or 4096 bits, e = 65537 (FIPS 186-5). kInvalidArgument for other sizes.
  static PrivateKey generate(int bits);
  // A fresh key for signatures.
  static PrivateKey generate(EcCurve curve);

  const std::shared_ptr<const PublicKey>& public_key() const { return public_key_; }
  const std::string& unwrapped_outside() const { return unwrapped_outside_; }
  // kNotExportable for a key in a token.
  EVP_PKEY* pkey() const;

  // Inverse of PublicKey::wrap. kTampered when decoding fails, whatever the reason: one answer for every kind of bad
  // padding, so that nothing can be learned from it.
  SecretKey unwrap(ByteView wrapped) const;
  // The same without an exception, which takes time of its own: nothing instead of kTampered.
  std::optional<SecretKey> try_unwrap(ByteView wrapped) const;
  // Inverse of PublicKey::encrypt_oaep; kTampered as above.
  SecretBytes decrypt_oaep(ByteView wrapped) const;
  // kNotApproved for a key of another algorithm than the scheme's, and where the module does not sign with its hash
  // (SHA-1).
  Bytes sign(SignatureScheme scheme, ByteView data) const;

 private:
  // False when the padding is wrong. Not for remote keys.
  bool open_oaep(ByteView wrapped, SecretBytes& message) const;

  PkeyPtr key_;  // null when the key is remote
  std::shared_ptr<const RemotePrivateKey> remote_;
  std::shared_ptr<const PublicKey> public_key_;
  std::string unwrapped_outside_;
  std::unique_ptr<OaepContexts> contexts_;
};

// The parameters of our operations, for whoever tries them (status.cc). False when the module refuses them.
bool set_oaep_sha256(EVP_PKEY_CTX* context);
// Nothing to set for ECDSA.
bool set_signature_padding(EVP_PKEY_CTX* context, SignatureScheme scheme);
const char* signature_digest(SignatureScheme scheme);

}  // namespace callseal
