#include "service_notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "error.h"
#include "file.h"

namespace callseal {

bool notify_service(const std::string& state) {
  const char* socket_name = ::getenv("NOTIFY_SOCKET");
  if (socket_name == nullptr || *socket_name == '\0') return false;
  const std::string name = socket_name;
  auto fail = [&](int error) { return Error::io(error, "cannot tell the service manager at", name); };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name[0] != '/' && name[0] != '@') throw fail(EAFNOSUPPORT);
  if (name.size() >= sizeof address.sun_path) throw fail(ENAMETOOLONG);
  memcpy(address.sun_path, name.data(), name.size());
  if (name[0] == '@') address.sun_path[0] = '\0';  // an abstract name, which has no end but its length
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size() + (name[0] == '/' ? 1 : 0));

  Descriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd.get() < 0) throw fail(errno);
  const ssize_t sent = ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                                reinterpret_cast<const sockaddr*>(&address), length);
  if (sent != static_cast<ssize_t>(state.size())) throw fail(sent < 0 ? errno : EMSGSIZE);
  return true;
}

}  // namespace callseal
