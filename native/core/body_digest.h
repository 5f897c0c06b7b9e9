// The digest of a body: SHA-256 over the SHA-256 of each encrypted segment, in order (docs/format.md section 9). One
// digest a segment, so that threads can share the work, and one pass in order gives the same.
#pragma once

#include <map>
#include <mutex>

#include "bytes.h"
#include "digest.h"
#include "openssl_ptr.h"

namespace callseal {

struct BodySummary {
  uint64_t segments = 0;
  Sha256 digest{};
};

class BodyDigest {
 public:
  BodyDigest();

  // The digests of segments one after the other, 32 bytes each.
  void add(ByteView digests);
  // Of what was added so far.
  BodySummary summary() const;

 private:
  DigestCtxPtr context_;
  uint64_t segments_ = 0;
};

// What BodyDigest::add takes: of whole segments, of which the last may be shorter.
Bytes segment_digests(ByteView segments, size_t segment_length);
// The same of one segment, written to 32 bytes.
void segment_digest(SplitView segment, uint8_t* out);

// A BodyDigest fed by several threads. What comes out of turn waits, which is little, as blocks are given out in order.
class SharedBodyDigest {
 public:
  // The segments of block number `block`, counted from 0; each block once.
  void add(uint64_t block, Bytes digests);
  // Once all blocks were added.
  BodySummary summary() const { return digest_.summary(); }

 private:
  std::mutex mutex_;
  BodyDigest digest_;
  uint64_t next_ = 0;
  std::map<uint64_t, Bytes> waiting_;
};

}  // namespace callseal
