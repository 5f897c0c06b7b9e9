// PEM text (RFC 7468, and RFC 1421 for encrypted traditional keys): reading with bounds, writing without leftovers.
//
// OpenSSL's PEM functions decrypt through the thread's default library context and leave decoded key bytes in freed
// memory; this reader only takes the armour off.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bytes.h"

namespace callseal {

struct PemBlock {
  std::string label;     // such as "RSA PRIVATE KEY"
  size_t line = 0;       // of the BEGIN line, counted from 1
  std::string dek_info;  // value of the DEK-Info header: "AES-256-CBC,<hex IV>"; empty when there is none
  SecretBytes der;
  std::string damage;  // what is wrong with the block; `der` is empty then
};

// Every block in file order. Text between blocks, a byte-order mark, any line end and indentation are allowed.
std::vector<PemBlock> read_pem(ByteView text);

// One block with lines of 64 characters, as PKCS#8 and certificates are written everywhere.
SecretBytes write_pem(std::string_view label, ByteView der);

}  // namespace callseal
