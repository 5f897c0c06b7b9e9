// PKCS#12 files (RFC 7292): the integrity check, and the first private key inside.
#pragma once

#include "key_encryption.h"

namespace callseal {

// The first private key as PKCS#8 DER. `passphrase` null: an empty and an absent one are tried, which some tools write.
// kPassphraseRequired (`path` names the file), kWrongPassphrase, kKeyUnreadable.
SecretBytes read_pkcs12(ByteView der, const ByteView* passphrase, const std::string& path, KeyDecryptor& decryptor);

}  // namespace callseal
