// The module's primitives with every parameter open, for outside test vectors: keys come as bytes, IVs come from
// outside, any digest, salt length or tag length may be asked for. In the build that is never packaged.
//
// Every function throws kNotApproved when the parameters are refused (by the module, or because a length is impossible
// for the algorithm), and kTampered when the data is rejected (wrong tag, bad padding). kInvalidArgument is the
// caller's mistake, never a verdict on a vector.
#pragma once

#include <string>

#include "bytes.h"

namespace callseal::raw {

// AES-GCM, 128, 192 or 256 by the key's length. Returns ciphertext ‖ tag.
Bytes gcm_encrypt(ByteView key, ByteView iv, ByteView aad, ByteView plaintext, size_t tag_length);
Bytes gcm_decrypt(ByteView key, ByteView iv, ByteView aad, ByteView ciphertext, ByteView tag);

// A CBC cipher by OpenSSL's name (AES-128-CBC … DES-EDE3-CBC); `padding` is PKCS#7.
Bytes cbc_encrypt(const std::string& cipher, ByteView key, ByteView iv, ByteView data, bool padding);
Bytes cbc_decrypt(const std::string& cipher, ByteView key, ByteView iv, ByteView data, bool padding);

// SP 800-38F: AES-128-WRAP … AES-256-WRAP-PAD, and the variants with the inverse cipher (AES-128-WRAP-INV …).
Bytes key_wrap(const std::string& cipher, ByteView key, ByteView data);
Bytes key_unwrap(const std::string& cipher, ByteView key, ByteView data);

// The whole tag.
Bytes hmac(const std::string& digest, ByteView key, ByteView data);

// RFC 5869: extract and expand; an empty salt stands for zero bytes as many as the digest has.
Bytes hkdf(const std::string& digest, ByteView key, ByteView salt, ByteView info, size_t length);

// SP 800-108 KBKDF in counter mode, K(i) = PRF(key, [i] ‖ fixed_input), the counter `counter_bits` wide (8, 16, 24,
// 32). `mac` is HMAC or CMAC, `algorithm` its digest or cipher.
Bytes kbkdf(const std::string& mac, const std::string& algorithm, ByteView key, ByteView fixed_input, int counter_bits,
            size_t length);

// RSA-OAEP. Keys are a DER SubjectPublicKeyInfo and an unencrypted PKCS#8.
Bytes oaep_encrypt(ByteView spki, const std::string& digest, const std::string& mgf1_digest, ByteView label,
                   ByteView plaintext);
Bytes oaep_decrypt(ByteView pkcs8, const std::string& digest, const std::string& mgf1_digest, ByteView label,
                   ByteView ciphertext);

// False when the signature is wrong, whatever the reason.
bool pss_verify(ByteView spki, const std::string& digest, const std::string& mgf1_digest, int salt_length,
                ByteView data, ByteView signature);
bool pkcs1_verify(ByteView spki, const std::string& digest, ByteView data, ByteView signature);
Bytes pkcs1_sign(ByteView pkcs8, const std::string& digest, ByteView data);

// A whole FLOE message with its header, by the product's own code; a segment may have any length above 32, and a data
// key serves 2^rotation_bits segments (20 in the specification).
Bytes floe_encrypt(ByteView key, ByteView aad, ByteView plaintext, uint32_t segment_length, unsigned rotation_bits);
Bytes floe_decrypt(ByteView key, ByteView aad, ByteView message, unsigned rotation_bits);

// Throws kNotApproved unless the module offers the digest.
void require_digest(const std::string& digest);
[[noreturn]] void refuse(const std::string& what);

}  // namespace callseal::raw
