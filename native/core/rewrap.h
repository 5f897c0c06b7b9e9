// Encrypted files for others than before: another header before the same body, or the whole file under a fresh content
// key. Neither writes plaintext anywhere.
#pragma once

#include "envelope.h"
#include "file.h"
#include "file_job.h"
#include "floe.h"
#include "job_control.h"

namespace callseal {

// The header that takes the place of `sealed`: prelude ‖ form.recipients ‖ MAC, with the content key of `sealed` in the
// holes. kTampered as open_envelope has it; kInvalidArgument as validate_holes has it.
Bytes rewrap_header(const PrivateKey& key, const SealedEnvelope& sealed, const EnvelopeTemplate& form);

// Replaces what precedes `rest` (an offset) in a file; all from there on stays as it is, byte for byte. In place: the
// file keeps owner, mode and time of last change. kInputChanged when it is written to or replaced meanwhile.
FileJobResult replace_header(const InputFile& input, ByteView header, uint64_t rest, JobControl& control);

// Where the FLOE body of a file begins, and the offset behind its last segment.
struct BodyExtent {
  uint64_t begin;
  uint64_t end;
};

// Decrypts a body segment by segment, and writes `header` and what was decrypted as the body of `message`. `output`
// appears only when all of the input is authentic. kTampered, kTruncated, kInputChanged.
FileJobResult rekey_file(const InputFile& input, const BodyExtent& body, const SecretKey& body_key, ByteView aad,
                         AtomicFile& output, ByteView header, const FloeMessage& message, JobControl& control);

}  // namespace callseal
