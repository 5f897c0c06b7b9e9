#include "master_key.h"

#include <openssl/rand.h>

#include <algorithm>
#include <optional>

#include "error.h"
#include "kbkdf.h"
#include "key_wrap.h"
#include "module.h"
#include "triple_des.h"

namespace callseal {
namespace {

constexpr size_t kDerivedLength = 32;

bool is_sound_master(CipherKind cipher, ByteView bytes) {
  return cipher == CipherKind::kAes256 ? bytes.size() == 32 : triple_des::is_sound(bytes);
}

SecretBytes checked(CipherKind cipher, ByteView bytes, ByteView context) {
  if (!is_sound_master(cipher, bytes)) {
    throw Error(Code::kInvalidArgument,
                "a master key has 32 bytes, or 24 of 3DES with odd parity and three distinct keys");
  }
  if (context.size() != MasterKey::kContextLength) {
    throw Error(Code::kInvalidArgument, "a master key's context is the store's id and the key's: 32 bytes");
  }
  return SecretBytes(bytes.begin(), bytes.end());
}

SecretBytes derive_wrapping_key(CipherKind cipher, ByteView master, ByteView context) {
  const size_t length = cipher == CipherKind::kAes256 ? kDerivedLength : triple_des::kKeyLength;
  SecretBytes key = derive_kbkdf(master, ByteView::of("callseal wrap v1"), context, length);
  if (cipher == CipherKind::kTripleDes) triple_des::set_odd_parity(key.data());
  return key;
}

// Fields come with their length; `wrapped` is a row's last.
bool ends_with_field(ByteView row, ByteView wrapped) {
  if (row.size() < 4 || wrapped.size() > row.size() - 4) return false;
  ByteView field = row.subview(row.size() - wrapped.size() - 4, wrapped.size() + 4);
  return get_u32be(field.data()) == wrapped.size() && std::equal(wrapped.begin(), wrapped.end(), field.begin() + 4);
}

// IV ‖ 3DES-CBC(key ‖ padding), authenticated by the row's MAC.
Bytes wrap_triple_des(ByteView wrapping_key, ByteView key) {
  CipherCtxPtr context = triple_des::start_encryption(wrapping_key);
  Bytes wrapped(triple_des::kBlock + triple_des::padded_length(key.size()));
  triple_des::make_iv(wrapped.data());
  triple_des::encrypt(context.get(), wrapped.data(), key, wrapped.data() + triple_des::kBlock);
  return wrapped;
}

std::optional<SecretBytes> unwrap_triple_des(ByteView wrapping_key, ByteView wrapped, size_t length) {
  if (wrapped.size() != triple_des::kBlock + triple_des::padded_length(length)) return std::nullopt;
  CipherCtxPtr context = triple_des::start_decryption(wrapping_key);
  ByteView text = wrapped.subview(triple_des::kBlock, wrapped.size() - triple_des::kBlock);
  SecretBytes key(text.size());
  if (triple_des::decrypt(context.get(), wrapped.data(), text, key.data()) != static_cast<long>(length)) {
    return std::nullopt;
  }
  key.resize(length);
  return key;
}

}  // namespace

MasterKey MasterKey::generate(CipherKind cipher, ByteView context) {
  if (cipher == CipherKind::kTripleDes) {
    SecretBytes bytes = triple_des::generate();
    triple_des::start_encryption(view(bytes));  // else it could never wrap a working key
    return MasterKey(cipher, view(bytes), context);
  }
  SecretBytes bytes(kDerivedLength);
  require_openssl(RAND_priv_bytes_ex(Module::get().context(), bytes.data(), bytes.size(), 256) == 1,
                  "generating a master key");
  return MasterKey(cipher, view(bytes), context);
}

MasterKey MasterKey::unwrap(const PrivateKey& key, ByteView wrapped, CipherKind cipher, ByteView context) {
  SecretBytes bytes = key.decrypt_oaep(wrapped);
  if (!is_sound_master(cipher, view(bytes))) {
    throw Error(Code::kTampered, "the wrapped master key opens, but is not a key of its cipher");
  }
  return MasterKey(cipher, view(bytes), context);
}

MasterKey::MasterKey(CipherKind cipher, ByteView bytes, ByteView context)
    : cipher_(cipher),
      bytes_(checked(cipher, bytes, context)),
      wrapping_key_(derive_wrapping_key(cipher, bytes, context)),
      row_key_(KeyUse::kMac, view(derive_kbkdf(bytes, ByteView::of("callseal row v1"), context, kDerivedLength))),
      binding_key_(derive_kbkdf(bytes, ByteView::of("callseal binding v1"), context, kDerivedLength)) {}

Bytes MasterKey::wrap_for(const PublicKey& key) const {
  Bytes wrapped(key.modulus_bytes());
  key.encrypt_oaep(view(bytes_), wrapped.data());
  return wrapped;
}

void MasterKey::mac_row(ByteView row, uint8_t* out) const {
  row_key_.mac({row}, out);
}

bool MasterKey::verify_row(ByteView row, ByteView mac) const {
  return row_key_.verify_mac(row, mac);
}

Bytes MasterKey::wrap(ByteView key) const {
  return cipher_ == CipherKind::kAes256 ? wrap_kwp(view(wrapping_key_), key)
                                        : wrap_triple_des(view(wrapping_key_), key);
}

CreatedWorkingKey MasterKey::create_working_key(CipherKind cipher, HashKind hash) const {
  SecretBytes bytes = WorkingKey::generate_bytes(cipher);
  // So that no key is stored that can encrypt nothing.
  if (cipher == CipherKind::kTripleDes) triple_des::start_encryption(view(bytes));
  auto key = std::make_shared<const WorkingKey>(cipher, hash, view(bytes), view(binding_key_));
  return {std::move(key), wrap(view(bytes))};
}

std::shared_ptr<const WorkingKey> MasterKey::open_working_key(CipherKind cipher, HashKind hash, ByteView row,
                                                              ByteView mac, ByteView wrapped) const {
  if (!verify_row(row, mac)) {
    throw Error(Code::kKeySubstituted, "the working key's row was altered: its MAC is wrong");
  }
  if (!ends_with_field(row, wrapped)) {
    throw Error(Code::kKeySubstituted, "the wrapped working key is not the one in its row");
  }
  const size_t length = WorkingKey::length(cipher);
  std::optional<SecretBytes> bytes = cipher_ == CipherKind::kAes256
                                         ? unwrap_kwp(view(wrapping_key_), wrapped, length)
                                         : unwrap_triple_des(view(wrapping_key_), wrapped, length);
  if (!bytes || !WorkingKey::is_sound(cipher, view(*bytes))) {
    throw Error(Code::kKeySubstituted, "the wrapped working key does not open to a key of its cipher");
  }
  return std::make_shared<const WorkingKey>(cipher, hash, view(*bytes), view(binding_key_));
}

}  // namespace callseal
