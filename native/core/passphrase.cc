#include "passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ui.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "error.h"
#include "file.h"
#include "openssl_ptr.h"
#include "out_of_memory.h"
#include "quiet_errors.h"

namespace callseal {
namespace {

using UiPtr = OpensslPtr<UI, UI_free>;

constexpr char kTerminal[] = "/dev/tty";
// UI_process returns this when the person interrupted it.
constexpr int kUiInterrupted = -2;

// One byte, or 0 at the end of input. Waits where the descriptor does not.
size_t read_byte(int fd, uint8_t* byte, const std::string& source) {
  while (true) {
    ssize_t got = ::read(fd, byte, 1);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      struct pollfd wait {
        fd, POLLIN, 0
      };
      ::poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      throw Error::io(errno, "cannot read a passphrase from", source);
    }
  }
}

// Up to a line feed, which is taken, or the end of input. One byte more than allowed, to be refused, at most.
SecretBytes read_line(int fd, const std::string& source) {
  SecretBytes line;
  uint8_t byte = 0;
  // A carriage return may follow the longest passphrase.
  while (line.size() <= Passphrase::kMaxLength + 1 && read_byte(fd, &byte, source) == 1 && byte != '\n') {
    line.push_back(byte);
  }
  OPENSSL_cleanse(&byte, sizeof byte);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

void require_terminal() {
  Descriptor terminal(::open(kTerminal, O_RDWR | O_CLOEXEC | O_NOCTTY));
  if (terminal.get() >= 0) return;
  throw Error(Code::kPassphraseRequired,
              "a passphrase is needed and there is no terminal to ask for it; give it with --passphrase-file, "
              "--passphrase-env or --passphrase-fd");
}

// A buffer OpenSSL's UI writes a zero-terminated answer to.
class Answer {
 public:
  Answer() : text_(Passphrase::kMaxLength + 1) {}
  char* data() { return reinterpret_cast<char*>(text_.data()); }
  SecretBytes bytes() const {
    auto end = std::find(text_.begin(), text_.end(), 0);
    return SecretBytes(text_.begin(), end);
  }

 private:
  SecretBytes text_;
};

void ask(UI* ui) {
  int result = UI_process(ui);
  if (result == 0) return;
  require_memory();
  bool too_long = false;
  while (unsigned long error = ERR_get_error()) too_long |= ERR_GET_REASON(error) == UI_R_RESULT_TOO_LARGE;
  if (result != kUiInterrupted && too_long) {
    throw Error(Code::kInvalidArgument,
                "the passphrase is longer than " + std::to_string(Passphrase::kMaxLength) + " bytes");
  }
  throw Error(Code::kAborted, "no passphrase was entered");
}

}  // namespace

Passphrase::Passphrase(SecretBytes bytes, const std::string& source) : bytes_(std::move(bytes)) {
  if (bytes_.empty()) throw Error(Code::kInvalidArgument, "the passphrase from " + source + " is empty");
  if (bytes_.size() > kMaxLength) {
    throw Error(Code::kInvalidArgument,
                "the passphrase from " + source + " is longer than " + std::to_string(kMaxLength) + " bytes");
  }
  if (std::find(bytes_.begin(), bytes_.end(), 0) != bytes_.end()) {
    throw Error(Code::kInvalidArgument,
                "the passphrase from " + source + " contains a zero byte; is it UTF-16 text? Use UTF-8");
  }
}

Passphrase Passphrase::prompt(const std::string& text, bool confirm) {
  QuietErrors quiet;
  require_terminal();
  UiPtr ui(UI_new_method(UI_OpenSSL()));
  Answer first, second;
  const std::string again = "Again: ";
  int max_length = static_cast<int>(kMaxLength);
  require_openssl(ui != nullptr && UI_add_input_string(ui.get(), text.c_str(), 0, first.data(), 0, max_length) >= 0 &&
                      (!confirm || UI_add_input_string(ui.get(), again.c_str(), 0, second.data(), 0, max_length) >= 0),
                  "preparing to ask for a passphrase");
  ask(ui.get());
  Passphrase passphrase(first.bytes(), "the terminal");
  if (confirm && first.bytes() != second.bytes()) {
    throw Error(Code::kInvalidArgument, "the two passphrases are not the same");
  }
  return passphrase;
}

Passphrase Passphrase::from_file(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (file.get() < 0) throw Error::io(errno, "cannot read a passphrase from", path);
  return Passphrase(read_line(file.get(), path), path);
}

Passphrase Passphrase::from_environment(const std::string& name) {
  const char* value = ::getenv(name.c_str());
  if (value == nullptr) {
    throw Error(Code::kPassphraseRequired,
                "a passphrase is needed and the environment variable " + name + " is not set");
  }
  return Passphrase(SecretBytes(value, value + ::strlen(value)), "the environment variable " + name);
}

Passphrase Passphrase::from_descriptor(int fd) {
  std::string source = "descriptor " + std::to_string(fd);
  return Passphrase(read_line(fd, source), source);
}

Passphrase Passphrase::from_bytes(ByteView bytes) {
  return Passphrase(SecretBytes(bytes.begin(), bytes.end()), "the caller");
}

}  // namespace callseal
