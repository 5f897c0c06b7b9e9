// Bodies that the fuzzer writes as their own writer would: segments whose tags are right, but which are not all where,
// or what, they say. And what a reader must make of them, by docs/format.md sections 5, 6 and 9 alone.
#pragma once

#include "floe.h"
#include "writer_signature.h"

namespace callseal::fuzz {

enum class BodyEnd { kComplete, kTruncated, kDamaged, kTrailing, kClosingCut, kClosingWrong };

struct BodyReading {
  Bytes plaintext;        // of the authentic segments
  uint64_t segments = 0;  // how many these are
  size_t offset = 0;      // in the body without its header, behind what is authentic
  BodySummary summary{};  // of these segments
  BodyEnd end = BodyEnd::kComplete;
};

// All there is to a body but the header of its message.
struct BodyProgram {
  bool signed_by_writer = false;
  size_t piece = 1;  // how many bytes a stream is given at once
  Bytes bytes;       // segments, and the closing block of a signed body

  // Input: options (1 byte: bit 0 is signed, bits 1 and 2 cut or lengthen the end, bit 3 the wrong closing block), by
  // how much (2 bytes), piece (1 byte); then 4 bytes a segment: form (bit 0 is final, bit 1 breaks the tag, bit 2 sets
  // the mark, bits 3 and 4 the index that it is for), mark, length (2 bytes). `size` is at least 4.
  BodyProgram(ByteView input, const FloeMessage& message, const SignedFile& file);

  // `signature` is null for bodies that are not signed.
  BodyReading read(const FloeMessage& message, const FileSignature* signature) const;
};

}  // namespace callseal::fuzz
