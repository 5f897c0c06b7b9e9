// Whole file → whole file, any size, flat memory.
#pragma once

#include <optional>
#include <string>

#include "atomic_file.h"
#include "floe.h"
#include "job_control.h"
#include "writer_signature.h"

namespace callseal {

// The end of an encrypted file that cannot be used, and why.
struct Loss {
  enum class Reason {
    kTruncated,  // the file ends before the segment does
    kDamaged,    // the segment is not authentic
    kTrailing,   // the message is whole, and something follows it
    kClosing,    // the message is whole, and its writer's signature is cut
  };
  Reason reason;
  uint64_t segment;  // the first that is lost; when none is, the number of segments there are
  uint64_t offset;   // where it begins in the file
  uint64_t bytes;    // from there to the file's end
};

struct FileJobResult {
  uint64_t input_bytes = 0;
  uint64_t output_bytes = 0;
  std::optional<Loss> loss{};  // only when a job that recovers has found one
};

// Writes `header` and the FLOE body of the input. The input must not change meanwhile (kInputChanged). In a job in
// place the encrypted file takes the input's place and its owner. With a `signature`, whose opening block ends
// `header`, its closing block follows the body.
FileJobResult encrypt_file(const InputFile& input, AtomicFile& output, ByteView header, const FloeMessage& message,
                           JobControl& control, const SignedFile* signature = nullptr);

// The same as far as the content: `output` is neither synced nor published, nor is it known whether the input has
// changed.
FileJobResult encrypt_content(const InputFile& input, AtomicFile& output, ByteView header, const FloeMessage& message,
                              JobControl& control, const SignedFile* signature = nullptr);

// Decrypts the FLOE body that begins at `offset` of the input. `output` may be null: then it only authenticates. With a
// `signature`, whose opening was verified, its closing block must follow the body. kTampered, kTruncated,
// kInputChanged.
//
// With `recover` a body that is cut or damaged gives all authentic segments before the first that is not, and a loss;
// not in place, after which the rest would be gone (kInvalidArgument). A body whose header is not whole and authentic
// is refused all the same, and so is a closing block that is wrong; it is looked at where all segments are there.
FileJobResult decrypt_file(const InputFile& input, AtomicFile* output, uint64_t offset, const SecretKey& key,
                           ByteView aad, JobControl& control, bool recover = false,
                           const FileSignature* signature = nullptr);

// kAlreadyEncrypted when the input begins with `prefix`, which is not empty.
void refuse_prefix(const InputFile& input, ByteView prefix);

}  // namespace callseal
