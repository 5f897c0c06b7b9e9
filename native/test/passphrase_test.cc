// Passphrases from files, the environment, descriptors and a real (pseudo) terminal.
#include "passphrase.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <thread>

#include "file.h"
#include "openssl_folder.h"
#include "test.h"

namespace callseal::test {
namespace {

std::string text_of(const Passphrase& passphrase) {
  return std::string(passphrase.bytes().begin(), passphrase.bytes().end());
}

std::string longest() {
  return std::string(Passphrase::kMaxLength, 'x');
}

void write_all(int fd, const std::string& text) {
  CHECK_EQ(::write(fd, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

struct Pipe {
  Pipe() {
    int ends[2];
    CHECK(pipe2(ends, O_CLOEXEC) == 0);
    read_end = Descriptor(ends[0]);
    write_end = Descriptor(ends[1]);
  }
  Descriptor read_end, write_end;
};

TEST(passphrase_from_file_is_its_first_line) {
  OpensslFolder folder;
  struct {
    std::string content, passphrase;
  } const cases[] = {{"secret", "secret"},
                     {"secret\n", "secret"},
                     {"secret\r\n", "secret"},
                     {"two words \nsecond line\n", "two words "},
                     {"p\xC3\xA4ss\n", "p\xC3\xA4ss"},
                     {longest(), longest()},
                     {longest() + "\r\nmore", longest()}};
  for (const auto& each : cases) {
    folder.write_text("pass", each.content);
    CHECK_EQ(text_of(Passphrase::from_file(folder.path("pass"))), each.passphrase);
  }
  for (const std::string& content : {std::string(), std::string("\n"), std::string("\r\nx"), longest() + "x",
                                     longest() + "\rx", std::string(1 << 20, 'x'), std::string("p\0a\0\n\0", 6)}) {
    folder.write_text("pass", content);
    CHECK_THROWS_CODE(Passphrase::from_file(folder.path("pass")), Code::kInvalidArgument);
  }
  CHECK_EQ(CHECK_THROWS_CODE(Passphrase::from_file(folder.path("missing")), Code::kIo).errno_name(), "ENOENT");
  CHECK_EQ(CHECK_THROWS_CODE(Passphrase::from_file("/"), Code::kIo).errno_name(), "EISDIR");
}

TEST(passphrase_from_environment) {
  setenv("CALLSEAL_TEST_PASSPHRASE", "from env", 1);
  CHECK_EQ(text_of(Passphrase::from_environment("CALLSEAL_TEST_PASSPHRASE")), "from env");
  setenv("CALLSEAL_TEST_PASSPHRASE", "", 1);
  CHECK_THROWS_CODE(Passphrase::from_environment("CALLSEAL_TEST_PASSPHRASE"), Code::kInvalidArgument);
  unsetenv("CALLSEAL_TEST_PASSPHRASE");
  Error error = CHECK_THROWS_CODE(Passphrase::from_environment("CALLSEAL_TEST_PASSPHRASE"), Code::kPassphraseRequired);
  CHECK_CONTAINS(error.what(), "CALLSEAL_TEST_PASSPHRASE");
}

TEST(passphrase_from_descriptor_leaves_the_rest) {
  Pipe pipe;
  write_all(pipe.write_end.get(), "first\nsecond\r\nrest");
  CHECK_EQ(text_of(Passphrase::from_descriptor(pipe.read_end.get())), "first");
  CHECK_EQ(text_of(Passphrase::from_descriptor(pipe.read_end.get())), "second");
  char rest[8];
  CHECK_EQ(::read(pipe.read_end.get(), rest, sizeof rest), ssize_t{4});
  CHECK_EQ(CHECK_THROWS_CODE(Passphrase::from_descriptor(1000000), Code::kIo).errno_name(), "EBADF");
}

TEST(passphrase_from_descriptor_waits_for_a_non_blocking_pipe) {
  Pipe pipe;
  CHECK(fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK) == 0);
  std::thread writer([&] {
    usleep(20000);
    write_all(pipe.write_end.get(), "late\n");
  });
  std::string text = text_of(Passphrase::from_descriptor(pipe.read_end.get()));
  writer.join();
  CHECK_EQ(text, "late");
}

TEST(passphrase_from_bytes) {
  CHECK_EQ(text_of(Passphrase::from_bytes(ByteView::of(longest()))), longest());
  CHECK_THROWS_CODE(Passphrase::from_bytes(ByteView()), Code::kInvalidArgument);
  Error error = CHECK_THROWS_CODE(Passphrase::from_bytes(ByteView::of(longest() + "x")), Code::kInvalidArgument);
  CHECK(std::string(error.what()).find("xxx") == std::string::npos);
}

// A child process that asks for a passphrase, on a terminal of its own or on none, and reports what it got.
class PromptSession {
 public:
  PromptSession(bool with_terminal, bool confirm) : terminal_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    CHECK(terminal_.get() >= 0 && grantpt(terminal_.get()) == 0 && unlockpt(terminal_.get()) == 0);
    std::string name = ptsname(terminal_.get());
    child_ = fork();
    if (child_ != 0) {
      report_.write_end = Descriptor();  // so that a child that dies ends the report
      return;
    }
    setsid();
    if (with_terminal) {
      int slave = open(name.c_str(), O_RDWR);
      ioctl(slave, TIOCSCTTY, 0);
    }
    report(confirm);
    _exit(0);
  }

  ~PromptSession() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  PromptSession(const PromptSession&) = delete;
  PromptSession& operator=(const PromptSession&) = delete;

  // Waits until the terminal has shown `text` and, which comes after it, echoes no more.
  void expect_prompt(const std::string& text) {
    expect(text);
    for (int i = 0; echoes() && i < 20000; i++) usleep(1000);
    CHECK(!echoes());
  }
  void type(const std::string& text) { write_all(terminal_.get(), text); }
  bool echoes() const {
    struct termios settings {};
    CHECK(tcgetattr(terminal_.get(), &settings) == 0);
    return (settings.c_lflag & ECHO) != 0;
  }
  // Everything the terminal has shown.
  const std::string& screen() {
    while (show(0)) continue;
    return screen_;
  }

  // Whether there is something for result() to read, waited for at most so long.
  bool has_reported(int milliseconds) const {
    struct pollfd report {
      report_.read_end.get(), POLLIN, 0
    };
    return ::poll(&report, 1, milliseconds) == 1;
  }

  // What the child reported: the passphrase, or the code of its error.
  std::string result() {
    std::string text(4096, '\0');
    ssize_t got = ::read(report_.read_end.get(), text.data(), text.size());
    int status = 0;
    CHECK(waitpid(child_, &status, 0) == child_);
    child_ = -1;
    CHECK(got >= 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    text.resize(static_cast<size_t>(got));
    return text;
  }

 private:
  // Takes what the terminal shows next; false when that is nothing.
  bool show(int timeout_ms) {
    struct pollfd wait = {terminal_.get(), POLLIN, 0};
    if (poll(&wait, 1, timeout_ms) != 1) return false;
    char buffer[256];
    ssize_t got = ::read(terminal_.get(), buffer, sizeof buffer);
    if (got > 0) screen_.append(buffer, static_cast<size_t>(got));
    return got > 0;
  }

  void expect(const std::string& text) {
    while (screen_.find(text, seen_) == std::string::npos) CHECK(show(20000));
    seen_ = screen_.find(text, seen_) + text.size();
  }

  void report(bool confirm) {
    std::string text;
    try {
      text = text_of(Passphrase::prompt("Passphrase for test.key: ", confirm));
    } catch (const Error& error) {
      text = std::string(code_name(error.code())) + " " + error.what();
    }
    if (::write(report_.write_end.get(), text.data(), text.size()) < 0) _exit(1);
  }

  Descriptor terminal_;
  Pipe report_;
  pid_t child_ = -1;
  std::string screen_;
  size_t seen_ = 0;
};

TEST(passphrase_prompt_does_not_echo) {
  PromptSession session(true, false);
  session.expect_prompt("Passphrase for test.key: ");
  session.type("visible?\n");
  CHECK_EQ(session.result(), "visible?");
  CHECK(session.echoes());
  CHECK(session.screen().find("visible") == std::string::npos);
}

TEST(passphrase_prompt_confirms) {
  PromptSession same(true, true);
  same.expect_prompt("Passphrase for test.key: ");
  same.type("secret\n");
  same.expect_prompt("Again: ");
  same.type("secret\n");
  CHECK_EQ(same.result(), "secret");
  PromptSession different(true, true);
  different.expect_prompt("Passphrase for test.key: ");
  different.type("secret\n");
  different.expect_prompt("Again: ");
  different.type("secrat\n");
  CHECK_EQ(different.result(), "ERR_INVALID_ARGUMENT the two passphrases are not the same");
}

TEST(passphrase_prompt_can_be_interrupted) {
  for (const char* keys : {"\x03", "half\x03", "\x04"}) {  // Ctrl-C, Ctrl-C in the middle, Ctrl-D
    PromptSession session(true, false);
    session.expect_prompt("Passphrase for test.key: ");
    session.type(keys);
    // A signal that comes after OpenSSL's UI has switched the echo off and before it reads is lost: press again.
    for (int tries = 0; !session.has_reported(1000) && tries < 20; ++tries) session.type(keys);
    CHECK_CONTAINS(session.result(), "ERR_ABORTED");
    CHECK(session.echoes());
  }
}

TEST(passphrase_prompt_refuses_nothing_and_too_much) {
  PromptSession empty(true, false);
  empty.expect_prompt("Passphrase for test.key: ");
  empty.type("\n");
  CHECK_CONTAINS(empty.result(), "ERR_INVALID_ARGUMENT");
  PromptSession excess(true, false);
  excess.expect_prompt("Passphrase for test.key: ");
  excess.type(longest() + "x\n");
  CHECK_CONTAINS(excess.result(), "ERR_INVALID_ARGUMENT");
  CHECK(excess.echoes());
}

TEST(passphrase_prompt_without_a_terminal_names_the_other_ways) {
  PromptSession session(false, false);
  std::string result = session.result();
  CHECK_CONTAINS(result, "ERR_PASSPHRASE_REQUIRED");
  for (const char* option : {"--passphrase-file", "--passphrase-env", "--passphrase-fd"}) {
    CHECK_CONTAINS(result, std::string(option));
  }
}

}  // namespace
}  // namespace callseal::test
