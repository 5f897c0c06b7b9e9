// Advisory locks (flock) that tell whether somebody who works with a file is alive: they end with their process.
#pragma once

namespace callseal {

enum class LockOutcome {
  kLocked,
  kTaken,        // another descriptor holds it
  kUnavailable,  // the file system has no locks for this descriptor
};

// Locks the file alone, for as long as the descriptor is open. Does not wait.
LockOutcome lock_file(int fd);

}  // namespace callseal
