// A finished plaintext file becomes an encrypted one, and its plaintext goes. Killed at any moment, the process leaves
// one of these, from which the next attempt goes on:
//
//   1. the plaintext alone (the output has no name yet: see AtomicFile);
//   2. both, the output complete, on the disk and marked: finish_sealing() removes the plaintext;
//   3. both, the plaintext under a hidden name: clean_directory() gives it its name back, which is 2;
//   4. the output alone.
//
// The mark is the sticky bit, which means nothing for files. With it, the time of modification and the length of the
// plaintext an output proves to be of this very file; without it, a new file of the same name, time and length could be
// taken for one that is encrypted. It goes with the plaintext.
#pragma once

#include "file_job.h"
#include "seal_source.h"

namespace callseal {

struct SealResult : FileJobResult {
  bool leased = false;
};

// `signature` as in encrypt_file(). `output` is synced, and was checked to replace nothing. Either the plaintext is
// gone and both directories are synced; or this throws, and everything is as it was; or, if the plaintext was deleted
// by somebody else meanwhile, the output stays and kInputChanged says so. What encrypt_file() throws; kInputBusy.
SealResult seal_file(const SealSource& source, AtomicFile& output, ByteView header, const FloeMessage& message,
                     JobControl& control, const SignedFile* signature = nullptr);

// Step 2. `found` is what the caller has read from the output: the length of its plaintext, and its own. kOutputExists
// when it is not the encryption of the source; what seal_file() throws.
SealResult finish_sealing(const SealRequest& request, const FileJobResult& found);

}  // namespace callseal
