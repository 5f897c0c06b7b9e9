// A process that seals is killed before each of its system calls; what it leaves behind is brought to an end.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "seal_paths.h"
#include "system_calls.h"

namespace callseal::test {
namespace {

const Bytes kPlain = sample_bytes(10000);

// Whether the process was killed: false when it was done before.
bool killed_at(size_t call, const ScratchFolder& folder, bool unnamed) {
  const pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    SystemCalls calls;
    calls.unnamed_files = unnamed;
    calls.before = [&](const std::string&) { return calls.seen.size() == call ? raise(SIGKILL) : 0; };
    try {
      seal(folder);
      _exit(0);
    } catch (...) {
      _exit(1);
    }
  }
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
  return WIFSIGNALED(status);
}

// What the agent does next.
void go_on(const ScratchFolder& folder) {
  clean_directory(folder.path("."));
  if (access(folder.path("in").c_str(), F_OK) != 0) return;
  if (access(folder.path("out").c_str(), F_OK) == 0) {
    finish(folder, kPlain);
  } else {
    seal(folder);
  }
}

TEST(seal_loses_and_doubles_nothing_wherever_it_is_killed) {
  for (bool unnamed : {true, false}) {
    bool killed = true;
    size_t call = 1;
    for (; killed; ++call) {
      ScratchFolder folder;
      folder.write("in", kPlain);
      killed = killed_at(call, folder, unnamed);
      // Before the output has its name there is nothing but the plaintext.
      if (unnamed && call <= 3) CHECK_EQ(folder.listing(), std::string("in"));
      go_on(folder);
      CHECK_EQ(folder.listing(), std::string("out"));
      CHECK_EQ(mode_of(folder.path("out")) & ~S_ISVTX, mode_t{0600});
      check_sealed(folder, "out", kPlain);
    }
    CHECK(call > 7);
  }
}

}  // namespace
}  // namespace callseal::test
