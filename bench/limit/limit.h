// What the limit programs share: options, clocks, threads that start together, and giving up with a message.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Ends the program with the message, errno's text when errno is set, and status 1.
void fail(const char* format, ...) __attribute__((format(printf, 1, 2), noreturn));

// The value after `--name`, or `fallback`; a null fallback makes the option required.
const char* text_option(int argc, char** argv, const char* name, const char* fallback);
uint64_t number_option(int argc, char** argv, const char* name, const char* fallback);

// Monotonic seconds, and this process's CPU seconds (user and system) so far, all threads.
double now(void);
double cpu_now(void);

// Runs `work(thread, argument)` on `threads` threads, the calling one being number 0, that start together. Returns the
// seconds from the start of the first to the end of the last.
double run_threads(unsigned threads, void (*work)(unsigned thread, void* argument), void* argument);
