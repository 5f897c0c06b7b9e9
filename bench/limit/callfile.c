// Small files encrypted as Callseal does it, the same system calls and the same cryptography, and nothing else: the
// limit of files a second. What it writes are call files that Callseal opens.
//
//   callfile --in DIR --out DIR --files 1000 --recipients a.pem,b.pem --threads 2 --sync 0 [--per-second 333]
//
// As fast as it can, or at a steady rate. With `--inputs N` only the first N inputs exist and are taken in turn.
// Reads DIR/000000.callsre and so on, writes DIR/000000.callsre.sealed.
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "envelope.h"
#include "limit.h"

struct job {
  struct algorithms algorithms;
  int in;  // directories
  int out;
  uint64_t files;
  uint64_t inputs;
  uint64_t per_second;  // 0: as fast as it can
  double started;
  int sync;
  _Atomic uint64_t next;
};

struct buffers {
  unsigned char* plaintext;
  unsigned char* sealed;
};

static void read_whole(int fd, unsigned char* out, size_t length) {
  for (size_t at = 0; at < length;) {
    ssize_t got = read(fd, out + at, length - at);
    if (got <= 0) fail("cannot read an input");
    at += (size_t)got;
  }
}

static void write_whole(int fd, const unsigned char* bytes, size_t length) {
  for (size_t at = 0; at < length;) {
    ssize_t put = write(fd, bytes + at, length - at);
    if (put <= 0) fail("cannot write an output");
    at += (size_t)put;
  }
}

static void write_output(const struct job* job, uint64_t number, const unsigned char* bytes, size_t length) {
  char temporary[64];
  char name[64];
  snprintf(temporary, sizeof temporary, ".%06llu.tmp", (unsigned long long)number);
  snprintf(name, sizeof name, "%06llu.callsre.sealed", (unsigned long long)number);
  int fd = openat(job->out, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) fail("cannot create %s", temporary);
  write_whole(fd, bytes, length);
  if (job->sync && fsync(fd) != 0) fail("cannot sync %s", temporary);
  if (renameat2(job->out, temporary, job->out, name, RENAME_NOREPLACE) != 0) fail("cannot rename to %s", name);
  if (job->sync && fsync(job->out) != 0) fail("cannot sync the output directory");
  if (close(fd) != 0) fail("cannot close %s", name);
}

static void encrypt_file(const struct job* job, struct sealer* sealer, struct buffers* buffers, uint64_t number) {
  char name[64];
  snprintf(name, sizeof name, "%06llu.callsre", (unsigned long long)(number % job->inputs));
  struct stat before;
  struct stat after;
  int fd = openat(job->in, name, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &before) != 0) fail("cannot open %s", name);
  size_t length = (size_t)before.st_size;
  size_t sealed = sealed_length(&job->algorithms, length);
  read_whole(fd, buffers->plaintext, length);
  if (fstat(fd, &after) != 0 || after.st_size != before.st_size) fail("%s changed", name);
  close(fd);
  seal(sealer, buffers->plaintext, length, buffers->sealed);
  write_output(job, number, buffers->sealed, sealed);
}

static void wait_until_due(const struct job* job, uint64_t number) {
  if (job->per_second == 0) return;
  double due = job->started + (double)number / (double)job->per_second;
  struct timespec time = {.tv_sec = (time_t)due, .tv_nsec = (long)((due - (double)(time_t)due) * 1e9)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL);
}

static void work(unsigned thread, void* argument) {
  (void)thread;
  struct job* job = argument;
  struct sealer* sealer = new_sealer(&job->algorithms);
  struct buffers buffers = {
      .plaintext = malloc(kSegmentLength),
      .sealed = malloc(job->algorithms.header_bytes + 2 * kSegmentLength),
  };
  if (buffers.plaintext == NULL || buffers.sealed == NULL) fail("not enough memory");
  for (uint64_t number = atomic_fetch_add(&job->next, 1); number < job->files;
       number = atomic_fetch_add(&job->next, 1)) {
    wait_until_due(job, number);
    encrypt_file(job, sealer, &buffers, number);
  }
}

static int open_directory(const char* path) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) fail("cannot open %s", path);
  return fd;
}

int main(int argc, char** argv) {
  struct job job = {
      .algorithms = load_algorithms(),
      .in = open_directory(text_option(argc, argv, "in", NULL)),
      .out = open_directory(text_option(argc, argv, "out", NULL)),
      .files = number_option(argc, argv, "files", NULL),
      .per_second = number_option(argc, argv, "per-second", "0"),
      .sync = (int)number_option(argc, argv, "sync", "0"),
  };
  job.inputs = number_option(argc, argv, "inputs", text_option(argc, argv, "files", NULL));
  unsigned threads = (unsigned)number_option(argc, argv, "threads", "1");
  char* recipients = strdup(text_option(argc, argv, "recipients", NULL));
  char* rest = NULL;
  for (char* path = strtok_r(recipients, ",", &rest); path != NULL; path = strtok_r(NULL, ",", &rest)) {
    add_recipient(&job.algorithms, path);
  }
  free(recipients);

  double cpu = cpu_now();
  job.started = now();
  double seconds = run_threads(threads, work, &job);
  printf(
      "{\"program\":\"callfile\",\"files\":%llu,\"threads\":%u,\"sync\":%s,\"recipients\":%zu,\"seconds\":%.9f,"
      "\"cpuSeconds\":%.6f}\n",
      (unsigned long long)job.files, threads, job.sync ? "true" : "false", job.algorithms.recipient_count, seconds,
      cpu_now() - cpu);
  return 0;
}
