// What a process leaves on the disk when it crashes.
#pragma once

namespace callseal {

// No core dump of this process, nor of those that it starts, neither in a file nor piped to a program such as
// systemd-coredump or apport: sets the soft limit (setrlimit(2), RLIMIT_CORE) to 1 byte. The hard limit stays: whoever
// has to debug the process raises the soft one from outside (prlimit(1)). For programs of our own; a library leaves the
// limits of its host alone.
void refuse_core_dumps();

}  // namespace callseal
