// Sealing between paths, with the sample key and header of file_job_paths.h, as the addon does it.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_job_paths.h"
#include "leftovers.h"
#include "seal_job.h"

namespace callseal::test {

inline SealResult seal_request(const SealRequest& request) {
  JobControl control;
  SealSource source(request);
  AtomicFile output({request.output, false, true, request.output_root}, &source.file());
  return seal_file(source, output, kHeader, new_message(4096), control);
}

inline SealRequest request_for(const ScratchFolder& folder) {
  SealRequest request;
  request.input = folder.path("in");
  request.output = folder.path("out");
  return request;
}

inline SealResult seal(const ScratchFolder& folder) {
  return seal_request(request_for(folder));
}

// What a caller reads from a complete output of the plaintext.
inline FileJobResult lengths_of(const Bytes& plaintext) {
  return {plaintext.size(), kHeader.size() + new_message(4096).encrypted_length(plaintext.size())};
}

inline SealResult finish(const ScratchFolder& folder, const Bytes& plaintext) {
  return finish_sealing(request_for(folder), lengths_of(plaintext));
}

// The sealed file opens to the plaintext.
inline void check_sealed(const ScratchFolder& folder, const std::string& name, const Bytes& plaintext) {
  decrypt(folder.path(name), folder.path("opened"));
  CHECK(folder.read("opened") == plaintext);
  CHECK_EQ(unlink(folder.path("opened").c_str()), 0);
}

inline mode_t mode_of(const std::string& path) {
  struct stat status {};
  CHECK_EQ(lstat(path.c_str(), &status), 0);
  return status.st_mode & 07777;
}

// An output whose plaintext was not removed any more: as a kill after publishing leaves it.
inline void seal_halfway(const ScratchFolder& folder) {
  const SealSource source(request_for(folder));
  JobControl control;
  AtomicFile output({folder.path("out"), false, true}, &source.file());
  encrypt_content(source.file(), output, kHeader, new_message(4096), control);
  const timespec times[2] = {{0, UTIME_NOW}, source.file().status().st_mtim};
  CHECK_EQ(futimens(output.descriptor(), times), 0);
  CHECK_EQ(fchmod(output.descriptor(), 01600), 0);
  output.commit();
}

}  // namespace callseal::test
