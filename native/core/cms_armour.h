// The form a CMS message comes in: DER or BER as it is, or PEM (RFC 7468), read and written in flat memory.
#pragma once

#include <memory>

#include "byte_source.h"

namespace callseal {

// Bytes of a source that are enough to tell its form.
constexpr size_t kCmsStartBytes = 512;

// `raw` itself, or PEM taken off it. `start` is what `raw` begins with: kCmsStartBytes or all there is. kNotCms for
// what is neither, with what to do about it.
std::unique_ptr<ByteSource> open_cms_armour(ByteView start, std::unique_ptr<ByteSource> raw);

// Takes bytes in order.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void write(ByteView bytes) = 0;
};

// Puts PEM around what is written.
class PemSink : public ByteSink {
 public:
  // `out` outlives it; the label's line is written at once.
  explicit PemSink(ByteSink& out);
  ~PemSink() override;
  void write(ByteView bytes) override;
  // Writes the END line.
  void finish();

 private:
  struct Encoder;
  ByteSink& out_;
  std::unique_ptr<Encoder> encoder_;
};

}  // namespace callseal
