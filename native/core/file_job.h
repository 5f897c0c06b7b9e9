// Whole file → whole file, any size, flat memory.
#pragma once

#include <optional>
#include <string>

#include "file.h"
#include "floe.h"
#include "job_control.h"

namespace callseal {

struct FileJobResult {
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
};

// Writes `header` and the FLOE body of the input. The input must not change meanwhile (kInputChanged). When the output
// is the input itself, the encrypted file takes its place and its owner.
FileJobResult encrypt_file(const std::string& input, ByteView header, const FloeMessage& message,
                           const OutputOptions& output, JobControl& control);

// Decrypts the FLOE body that begins at `offset` of the input. Without an output it only authenticates.
// kTampered, kTruncated, kInputChanged.
FileJobResult decrypt_file(const std::string& input, uint64_t offset, const SecretKey& key, ByteView aad,
                           const std::optional<OutputOptions>& output, JobControl& control);

}  // namespace callseal
