// What a suite of the key hierarchy chooses (docs/keys.md, "Suites").
#pragma once

namespace callseal {

// Of a master key, or of working keys and the records under them.
enum class CipherKind { kAes256, kTripleDes };

// HMAC's hash in protected records.
enum class HashKind { kSha256, kSha1 };

}  // namespace callseal
