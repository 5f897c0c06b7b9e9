// Proof that nobody has a file open for writing: a read lease (fcntl(2), F_SETLEASE).
#pragma once

#include <string>

namespace callseal {

// Taken by its constructor, if it can be had, and given back by its destructor. Whoever opens the file for writing
// meanwhile waits for that, 45 seconds at most, or is refused if it does not wait (O_NONBLOCK).
class Lease {
 public:
  // `fd` is open for reading only, and outlives the lease. kInputBusy when the file is open for writing.
  Lease(int fd, const std::string& path);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  // False where none can be had: the file belongs to another user, or its file system has no leases.
  bool taken() const { return refusal_ == 0; }
  // The errno that says why there is none.
  int refusal() const { return refusal_; }
  // Nobody has opened the file for writing since it was taken.
  bool held() const;

 private:
  int fd_;
  int refusal_ = 0;
};

}  // namespace callseal
