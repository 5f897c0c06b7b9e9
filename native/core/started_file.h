// A file that is about to be written: all before its first segment, and how its segments are encrypted and signed.
#pragma once

#include <memory>
#include <optional>

#include "envelope.h"
#include "floe.h"
#include "writer_signature.h"

namespace callseal {

struct StartedFile {
  Bytes header;  // prelude ‖ recipients ‖ MAC ‖ the opening block of a signed file
  FloeMessage message;
  std::optional<SignedFile> signature;

  // Null for a file without one.
  const SignedFile* signature_or_null() const { return signature.has_value() ? &*signature : nullptr; }
};

// Under a fresh content key. `signer` may be null.
StartedFile start_file(const EnvelopeTemplate& form, const std::shared_ptr<const FileSigner>& signer, ByteView prelude,
                       uint32_t segment_length);

}  // namespace callseal
