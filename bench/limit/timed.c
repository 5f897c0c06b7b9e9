// Runs a command and tells what it cost: wall time from fork to wait, CPU time and peak resident set of it and its
// children. The answer goes to descriptor 3, so that the command keeps its own output.
//
//   timed COMMAND ARGUMENT… 3>cost.json
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "limit.h"

enum { kReport = 3 };

static double seconds_of(struct timeval time) {
  return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

int main(int argc, char** argv) {
  if (argc < 2 || fcntl(kReport, F_SETFD, FD_CLOEXEC) != 0) {
    fprintf(stderr, "usage: timed COMMAND ARGUMENT… 3>FILE\n");
    return 2;
  }
  double started = now();
  pid_t child = fork();
  if (child == 0) {
    execvp(argv[1], argv + 1);
    fprintf(stderr, "cannot run %s: %s\n", argv[1], strerror(errno));
    _exit(127);
  }
  int status = 0;
  struct rusage usage;
  while (wait4(child, &status, 0, &usage) < 0) {
    if (errno == EINTR) continue;
    perror("cannot wait for the command");
    return 1;
  }
  double seconds = now() - started;
  dprintf(kReport, "{\"seconds\":%.9f,\"cpuSeconds\":%.6f,\"peakRssBytes\":%lld,\"exitCode\":%d,\"signal\":%d}\n",
          seconds, seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime), (long long)usage.ru_maxrss * 1024,
          WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0);
  return 0;
}
