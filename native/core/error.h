// Failures of the core. One exception type with a code from the package's closed set (lib/errors.ts).
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace callseal {

// Names are those of lib/errors.ts without the prefix ERR_.
enum class Code {
  kNotIsolated,
  kFipsUnavailable,
  kNotApproved,
  kCrypto,
  kInvalidArgument,
  kCertificateUnreadable,
  kKeyUnreadable,
  kNoMatchingKey,
  kPassphraseRequired,
  kWrongPassphrase,
  kKeyUse,
  kAlreadyEncrypted,
  kTampered,
  kTruncated,
  kNotCms,
  kInputChanged,
  kInputBusy,
  kOutputExists,
  kIo,
  kAborted,
  kKeySubstituted,
  kNotExportable,
  kEntityMismatch,
};

// The code as JavaScript sees it, such as "ERR_TAMPERED".
std::string_view code_name(Code code);

class Error : public std::runtime_error {
 public:
  Error(Code code, const std::string& message) : std::runtime_error(message), code_(code) {}

  // An operating-system failure: `what` was done to `path`; `errno_value` says how it failed.
  static Error io(int errno_value, std::string_view what, const std::string& path);

  // A failure that concerns one file: the message is its name and what is wrong with it.
  static Error about(Code code, const std::string& path, const std::string& what);

  // A failure inside OpenSSL: takes the thread's whole error queue, which holds no secrets, as cause.
  static Error openssl(Code code, const std::string& message);

  // The same failure, with what there is to know besides.
  Error adding(const std::string& more) const;

  Code code() const { return code_; }
  const std::string& errno_name() const { return errno_name_; }
  const std::string& path() const { return path_; }
  const std::vector<std::string>& causes() const { return causes_; }

 private:
  Code code_;
  std::string errno_name_;
  std::string path_;
  std::vector<std::string> causes_;
};

// Empties the thread's OpenSSL error queue and returns its lines, oldest first.
std::vector<std::string> take_openssl_errors();

// Throws ERR_CRYPTO with the error queue as cause unless `ok`. `what` names the operation for the message.
void require_openssl(bool ok, const char* what);

}  // namespace callseal
