// Tells the service manager how a service is: the protocol of sd_notify(3).
#pragma once

#include <string>

namespace callseal {

// Sends `state`, assignments such as "READY=1" in lines, to the socket that NOTIFY_SOCKET names. False when it is not
// set. Does not wait. kIo.
bool notify_service(const std::string& state);

}  // namespace callseal
