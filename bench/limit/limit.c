#include "limit.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

void fail(const char* format, ...) {
  int error = errno;
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fprintf(stderr, error != 0 ? ": %s\n" : "\n", strerror(error));
  exit(1);
}

const char* text_option(int argc, char** argv, const char* name, const char* fallback) {
  for (int i = 1; i + 1 < argc; i += 2) {
    if (strncmp(argv[i], "--", 2) == 0 && strcmp(argv[i] + 2, name) == 0) return argv[i + 1];
  }
  errno = 0;
  if (fallback == NULL) fail("option --%s is missing", name);
  return fallback;
}

uint64_t number_option(int argc, char** argv, const char* name, const char* fallback) {
  const char* text = text_option(argc, argv, name, fallback);
  char* end = NULL;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno != 0 || end == text || *end != '\0') fail("option --%s is not a number: %s", name, text);
  return value;
}

double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double cpu_now(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct team {
  pthread_barrier_t start;
  void (*work)(unsigned thread, void* argument);
  void* argument;
};

struct member {
  struct team* team;
  unsigned thread;
  pthread_t id;
};

static void* run_member(void* pointer) {
  struct member* member = pointer;
  pthread_barrier_wait(&member->team->start);
  member->team->work(member->thread, member->team->argument);
  return NULL;
}

double run_threads(unsigned threads, void (*work)(unsigned thread, void* argument), void* argument) {
  struct team team = {.work = work, .argument = argument};
  struct member* members = calloc(threads, sizeof *members);
  if (members == NULL || threads == 0) fail("cannot run %u threads", threads);
  pthread_barrier_init(&team.start, NULL, threads);
  for (unsigned i = 1; i < threads; ++i) {
    members[i] = (struct member){.team = &team, .thread = i};
    errno = pthread_create(&members[i].id, NULL, run_member, &members[i]);
    if (errno != 0) fail("cannot start a thread");
  }
  pthread_barrier_wait(&team.start);
  double started = now();
  work(0, argument);
  for (unsigned i = 1; i < threads; ++i) pthread_join(members[i].id, NULL);
  double seconds = now() - started;
  pthread_barrier_destroy(&team.start);
  free(members);
  return seconds;
}
