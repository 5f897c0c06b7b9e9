// A plain copy of a file, read and written a block at a time: the limit of encryptFile and decryptFile. As fast as one
// thread does it: blocks that stay in the cache, and space that is set aside before it is written.
//
//   copy --in FILE --out NEWFILE --block 262144
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limit.h"

static uint64_t copy(const char* input, const char* output, size_t block) {
  char* buffer = malloc(block);
  if (buffer == NULL) fail("not enough memory for a block of %zu bytes", block);
  memset(buffer, 0, block);
  int in = open(input, O_RDONLY | O_CLOEXEC);
  if (in < 0) fail("cannot open %s", input);
  int out = open(output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (out < 0) fail("cannot create %s", output);
  struct stat status;
  if (fstat(in, &status) != 0) fail("cannot examine %s", input);
  posix_fadvise(in, 0, 0, POSIX_FADV_SEQUENTIAL);
  fallocate(out, FALLOC_FL_KEEP_SIZE, 0, status.st_size);  // where the file system cannot, nothing is lost
  uint64_t total = 0;
  for (;;) {
    ssize_t got = read(in, buffer, block);
    if (got < 0) fail("cannot read %s", input);
    if (got == 0) break;
    for (ssize_t put = 0; put < got;) {
      ssize_t written = write(out, buffer + put, (size_t)(got - put));
      if (written < 0) fail("cannot write %s", output);
      put += written;
    }
    total += (uint64_t)got;
  }
  if (close(in) != 0 || close(out) != 0) fail("cannot close");
  free(buffer);
  return total;
}

int main(int argc, char** argv) {
  const char* input = text_option(argc, argv, "in", NULL);
  const char* output = text_option(argc, argv, "out", NULL);
  size_t block = number_option(argc, argv, "block", "262144");
  double cpu = cpu_now();
  double started = now();
  uint64_t bytes = copy(input, output, block);
  double seconds = now() - started;
  printf("{\"program\":\"copy\",\"bytes\":%llu,\"block\":%zu,\"seconds\":%.9f,\"cpuSeconds\":%.6f}\n",
         (unsigned long long)bytes, block, seconds, cpu_now() - cpu);
  return 0;
}
