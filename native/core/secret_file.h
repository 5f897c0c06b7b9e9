// Reading small files that may hold secrets: bounded, and cleared when done with.
#pragma once

#include <optional>
#include <string>

#include "bytes.h"

namespace callseal {

// The first `max_bytes` + 1 bytes of a regular file or a pipe (a process substitution such as /dev/fd/63); a result
// longer than `max_bytes` means that the file is. `what` names the file in messages. kIo.
SecretBytes read_secret_file(const std::string& path, size_t max_bytes, const char* what);

// The same for regular files alone, never blocking: none for anything else, which reading would wait for or use up.
std::optional<SecretBytes> read_regular_file(const std::string& path, size_t max_bytes, const char* what);

}  // namespace callseal
