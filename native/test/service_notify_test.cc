#include "service_notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "file.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {
namespace {

// A socket of that name, '@' for an abstract one, and NOTIFY_SOCKET set to it.
class Manager {
 public:
  explicit Manager(const std::string& name) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    CHECK_EQ(bind(fd_.get(), reinterpret_cast<sockaddr*>(&address), length), 0);
    setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() { unsetenv("NOTIFY_SOCKET"); }

  std::string heard() const {
    char text[256];
    const ssize_t length = recv(fd_.get(), text, sizeof text, MSG_DONTWAIT);
    return length < 0 ? "" : std::string(text, static_cast<size_t>(length));
  }

 private:
  Descriptor fd_;
};

TEST(service_manager_is_told_at_either_kind_of_socket) {
  ScratchFolder folder;
  for (const std::string& name : {folder.path("notify"), "@callseal-test-" + std::to_string(getpid())}) {
    Manager manager(name);
    CHECK(notify_service("READY=1\nSTATUS=2 directories"));
    CHECK_EQ(manager.heard(), std::string("READY=1\nSTATUS=2 directories"));
    CHECK(notify_service("WATCHDOG=1"));
    CHECK_EQ(manager.heard(), std::string("WATCHDOG=1"));
  }
}

TEST(service_manager_that_is_not_there_is_no_error_unless_it_should_be) {
  unsetenv("NOTIFY_SOCKET");
  CHECK(!notify_service("READY=1"));
  struct Case {
    std::string name;
    const char* error;
  };
  for (const Case& each : {Case{"/nonexistent/notify", "ENOENT"}, Case{"relative", "EAFNOSUPPORT"},
                           Case{"vsock:2:1", "EAFNOSUPPORT"}, Case{"/" + std::string(200, 'x'), "ENAMETOOLONG"}}) {
    setenv("NOTIFY_SOCKET", each.name.c_str(), 1);
    Error error = CHECK_THROWS_CODE(notify_service("READY=1"), Code::kIo);
    CHECK_EQ(error.errno_name(), std::string(each.error));
  }
  unsetenv("NOTIFY_SOCKET");
}

TEST(service_manager_that_does_not_listen_is_not_waited_for) {
  ScratchFolder folder;
  Manager manager(folder.path("notify"));
  Error full = CHECK_THROWS_CODE(
      [] {
        for (int i = 0; i < 100'000; ++i) notify_service("WATCHDOG=1");
      }(),
      Code::kIo);
  CHECK_EQ(full.errno_name(), std::string("EAGAIN"));
}

}  // namespace
}  // namespace callseal::test
