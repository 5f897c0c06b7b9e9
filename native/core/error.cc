#include "error.h"

#include <openssl/err.h>
#include <string.h>

#include <array>

namespace callseal {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::kNotIsolated:
      return "ERR_CRYPTO_NOT_ISOLATED";
    case Code::kFipsUnavailable:
      return "ERR_FIPS_UNAVAILABLE";
    case Code::kNotApproved:
      return "ERR_NOT_APPROVED";
    case Code::kCrypto:
      return "ERR_CRYPTO";
    case Code::kInvalidArgument:
      return "ERR_INVALID_ARGUMENT";
    case Code::kCertificateUnreadable:
      return "ERR_CERTIFICATE_UNREADABLE";
    case Code::kKeyUnreadable:
      return "ERR_KEY_UNREADABLE";
    case Code::kNoMatchingKey:
      return "ERR_NO_MATCHING_KEY";
    case Code::kPassphraseRequired:
      return "ERR_PASSPHRASE_REQUIRED";
    case Code::kWrongPassphrase:
      return "ERR_WRONG_PASSPHRASE";
    case Code::kKeyUse:
      return "ERR_KEY_USE";
    case Code::kAlreadyEncrypted:
      return "ERR_ALREADY_ENCRYPTED";
    case Code::kTampered:
      return "ERR_TAMPERED";
    case Code::kTruncated:
      return "ERR_TRUNCATED";
    case Code::kNotCms:
      return "ERR_NOT_CMS";
    case Code::kInputChanged:
      return "ERR_INPUT_CHANGED";
    case Code::kInputBusy:
      return "ERR_INPUT_BUSY";
    case Code::kOutputExists:
      return "ERR_OUTPUT_EXISTS";
    case Code::kIo:
      return "ERR_IO";
    case Code::kAborted:
      return "ERR_ABORTED";
    case Code::kKeySubstituted:
      return "ERR_KEY_SUBSTITUTED";
    case Code::kNotExportable:
      return "ERR_NOT_EXPORTABLE";
    case Code::kEntityMismatch:
      return "ERR_ENTITY_MISMATCH";
  }
  return "ERR_CRYPTO";
}

Error Error::io(int errno_value, std::string_view what, const std::string& path) {
  const char* name = strerrorname_np(errno_value);
  const char* description = strerrordesc_np(errno_value);
  std::string text = description != nullptr ? description : "unknown error";
  // Not tolower: where the process has a Turkish locale, that makes no `i` of the I in `Is a directory`.
  if (text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  Error error(Code::kIo, std::string(what) + " " + path + ": " + text + " (" +
                             (name != nullptr ? name : std::to_string(errno_value)) + ")");
  error.errno_name_ = name != nullptr ? name : std::to_string(errno_value);
  error.path_ = path;
  return error;
}

Error Error::about(Code code, const std::string& path, const std::string& what) {
  Error error(code, path + " " + what);
  error.path_ = path;
  return error;
}

Error Error::openssl(Code code, const std::string& message) {
  Error error(code, message);
  error.causes_ = take_openssl_errors();
  return error;
}

Error Error::adding(const std::string& more) const {
  Error error(code_, what() + ("; " + more));
  error.errno_name_ = errno_name_;
  error.path_ = path_;
  error.causes_ = causes_;
  return error;
}

std::vector<std::string> take_openssl_errors() {
  std::vector<std::string> lines;
  const char* data = nullptr;
  int flags = 0;
  while (unsigned long packed = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    std::array<char, 256> text{};
    ERR_error_string_n(packed, text.data(), text.size());
    std::string line(text.data());
    if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') line += std::string(": ") + data;
    lines.push_back(std::move(line));
  }
  return lines;
}

void require_openssl(bool ok, const char* what) {
  if (!ok) throw Error::openssl(Code::kCrypto, std::string(what) + " failed in the crypto module");
}

}  // namespace callseal
