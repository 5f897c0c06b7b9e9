// Whole file → whole file, any size, flat memory.
#pragma once

#include <string>

#include "file.h"
#include "floe.h"
#include "job_control.h"
#include "writer_signature.h"

namespace callseal {

struct FileJobResult {
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
};

// Writes `header` and the FLOE body of the input. The input must not change meanwhile (kInputChanged). In a job in
// place the encrypted file takes the input's place and its owner. With a `signature`, whose opening block ends
// `header`, its closing block follows the body.
FileJobResult encrypt_file(const InputFile& input, AtomicFile& output, ByteView header, const FloeMessage& message,
                           JobControl& control, const SignedFile* signature = nullptr);

// Decrypts the FLOE body that begins at `offset` of the input. `output` may be null: then it only authenticates. With a
// `signature`, whose opening was verified, its closing block must follow the body. kTampered, kTruncated,
// kInputChanged.
FileJobResult decrypt_file(const InputFile& input, AtomicFile* output, uint64_t offset, const SecretKey& key,
                           ByteView aad, JobControl& control, const FileSignature* signature = nullptr);

// kAlreadyEncrypted when the input begins with `prefix`, which is not empty.
void refuse_prefix(const InputFile& input, ByteView prefix);

}  // namespace callseal
