// What a process leaves on the disk when it crashes.
#pragma once

namespace callseal {

// No core dump of this process, nor of those that it starts: lowers the soft limit (setrlimit(2), RLIMIT_CORE), which
// systemd-coredump and apport heed as well as the kernel. The hard limit stays: whoever has to debug the process raises
// the soft one from outside (prlimit(1)). For programs of our own; a library leaves the limits of its host alone.
void refuse_core_dumps();

}  // namespace callseal
