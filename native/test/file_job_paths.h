// File jobs between paths, with a sample key and header, as the addon runs them.
#pragma once

#include <optional>
#include <string>

#include "file_job.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {

inline const SecretKey& sample_key() {
  static const SecretKey key(KeyUse::kFloe, sample_bytes(32));
  return key;
}
inline const Bytes kAad = sample_bytes(48, 7);
inline const Bytes kHeader = sample_bytes(311, 8);

inline FloeMessage new_message(uint32_t segment_length) {
  return FloeMessage::create(sample_key(), kAad, segment_length);
}

// The jobs as the addon runs them: both ends opened first.
inline FileJobResult encrypt_paths(const std::string& from, ByteView header, const FloeMessage& message,
                                   const OutputOptions& to, JobControl& control) {
  InputFile input(from);
  AtomicFile output(to, &input);
  return encrypt_file(input, output, header, message, control);
}

inline FileJobResult decrypt_paths(const std::string& from, uint64_t offset, const std::optional<OutputOptions>& to,
                                   JobControl& control, bool recover = false) {
  InputFile input(from);
  std::optional<AtomicFile> output;
  if (to.has_value()) output.emplace(*to, &input);
  return decrypt_file(input, output.has_value() ? &*output : nullptr, offset, sample_key(), kAad, control, recover);
}

inline FileJobResult encrypt(const std::string& input, const std::string& output, uint32_t segment_length = 4096,
                             bool replace = false, bool sync = false) {
  JobControl control;
  FileJobResult result = encrypt_paths(input, kHeader, new_message(segment_length), {output, replace, sync}, control);
  CHECK_EQ(control.progress(), result.input_bytes);
  return result;
}

inline FileJobResult decrypt(const std::string& input, const std::optional<std::string>& output, bool replace = false) {
  JobControl control;
  std::optional<OutputOptions> options;
  if (output.has_value()) options = OutputOptions{*output, replace, false};
  FileJobResult result = decrypt_paths(input, kHeader.size(), options, control);
  CHECK_EQ(control.progress(), result.input_bytes);
  return result;
}

}  // namespace callseal::test
