// A passphrase and the four ways to get one without letting it pass through JavaScript.
#pragma once

#include <string>

#include "bytes.h"

namespace callseal {

// One to kMaxLength bytes without a zero byte, cleared when it dies. The encoding is that of its source; key files made
// by OpenSSL take it as it is, PKCS#12 takes it as UTF-8.
class Passphrase {
 public:
  // PKCS#12 and OpenSSL's own tools stop at 1024 bytes; longer input is refused rather than cut.
  static constexpr size_t kMaxLength = 1024;

  // Asks on the controlling terminal, echo off, through OpenSSL's UI. Blocks the calling thread, which must be the one
  // that gets the process's signals: the main thread. `confirm` asks twice and refuses a mismatch (kInvalidArgument).
  // No terminal: kPassphraseRequired. Interrupted by Ctrl-C, another signal or the end of input: kAborted.
  static Passphrase prompt(const std::string& text, bool confirm);
  // First line of a file or pipe, without its line end (LF or CRLF). kIo; kInvalidArgument when empty or too long.
  static Passphrase from_file(const std::string& path);
  // kPassphraseRequired when the variable is not set; kInvalidArgument when empty or too long.
  static Passphrase from_environment(const std::string& name);
  // First line of an open descriptor, read byte by byte so that nothing behind it is taken. Blocks. kIo;
  // kInvalidArgument when empty or too long.
  static Passphrase from_descriptor(int fd);
  // The bytes as they are. kInvalidArgument when empty or too long.
  static Passphrase from_bytes(ByteView bytes);

  ByteView bytes() const { return view(bytes_); }

 private:
  Passphrase(SecretBytes bytes, const std::string& source);
  SecretBytes bytes_;
};

}  // namespace callseal
