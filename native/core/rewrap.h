// Encrypted files for others than before: another header before the same body, or the whole file under a fresh content
// key. Neither writes plaintext anywhere.
#pragma once

#include "envelope.h"
#include "file.h"
#include "file_job.h"
#include "floe.h"
#include "job_control.h"
#include "started_file.h"

namespace callseal {

// The header that takes the place of `sealed`: prelude ‖ form.recipients ‖ MAC, with the content key of `sealed` in the
// holes. kTampered as open_envelope has it; kInvalidArgument as validate_holes has it.
Bytes rewrap_header(const PrivateKey& key, const SealedEnvelope& sealed, const EnvelopeTemplate& form);

// Replaces what precedes `rest` (an offset) in a file; all from there on stays as it is, byte for byte. In place: the
// file keeps owner, mode and time of last change. kInputChanged when it is written to or replaced meanwhile.
FileJobResult replace_header(const InputFile& input, ByteView header, uint64_t rest, JobControl& control);

// The FLOE body of a file.
struct FileBody {
  uint64_t begin;
  uint64_t end;  // behind its last segment
  // Null for a file without one. Its opening was verified; its closing block follows the body.
  const FileSignature* signature = nullptr;
};

// Decrypts a body segment by segment, and writes it as the body of `file`. `output` appears only when all of the input
// is authentic, and its closing block right. kTampered, kTruncated, kInputChanged.
FileJobResult rekey_file(const InputFile& input, const FileBody& body, const SecretKey& body_key, ByteView aad,
                         AtomicFile& output, const StartedFile& file, JobControl& control);

}  // namespace callseal
