#include "lease.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file.h"
#include "scratch.h"
#include "system_calls.h"
#include "test.h"

namespace callseal::test {
namespace {

TEST(lease_is_refused_while_somebody_writes) {
  ScratchFolder folder;
  std::string path = folder.write("in", sample_bytes(10));
  InputFile file(path);
  for (int access : {O_WRONLY, O_RDWR}) {
    Descriptor writer(open(path.c_str(), access | O_CLOEXEC));
    CHECK_THROWS_CODE(Lease(file.descriptor(), path), Code::kInputBusy);
  }
  Descriptor reader(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  Lease lease(file.descriptor(), path);
  CHECK(lease.taken() && lease.held());
}

// Who has mapped a file may write to it when it is closed.
TEST(lease_is_refused_while_the_file_is_mapped_for_writing) {
  ScratchFolder folder;
  std::string path = folder.write("in", sample_bytes(10));
  InputFile file(path);
  void* mapping = nullptr;
  {
    Descriptor writer(open(path.c_str(), O_RDWR | O_CLOEXEC));
    mapping = mmap(nullptr, 10, PROT_READ | PROT_WRITE, MAP_SHARED, writer.get(), 0);
  }
  CHECK(mapping != MAP_FAILED);
  CHECK_THROWS_CODE(Lease(file.descriptor(), path), Code::kInputBusy);
  CHECK_EQ(munmap(mapping, 10), 0);
  CHECK(Lease(file.descriptor(), path).taken());
}

// Two processes that are told of each other by nothing but the file.
TEST(lease_is_broken_by_a_writer_who_waits_until_it_is_given_back) {
  ScratchFolder folder;
  std::string path = folder.write("in", sample_bytes(10));
  InputFile file(path);
  pid_t child = -1;
  {
    Lease lease(file.descriptor(), path);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) _exit(open(path.c_str(), O_WRONLY | O_APPEND) >= 0 ? 0 : 1);
    for (int waited = 0; lease.held() && waited < 10'000; ++waited) usleep(1000);
    CHECK(!lease.held());
    CHECK_EQ(waitpid(child, nullptr, WNOHANG), 0);  // it waits; and its knocking has not ended this process
  }
  int status = -1;
  CHECK_EQ(waitpid(child, &status, 0), child);
  CHECK_EQ(status, 0);
}

TEST(lease_that_cannot_be_had_is_no_error) {
  ScratchFolder folder;
  std::string path = folder.write("in", sample_bytes(10));
  InputFile file(path);
  SystemCalls calls;
  for (int failure : {EINVAL, EACCES, EPERM, EOPNOTSUPP}) {
    calls.lease_failure = failure;
    Lease lease(file.descriptor(), path);
    CHECK(!lease.taken() && !lease.held());
    CHECK_EQ(lease.refusal(), failure);
  }
}

TEST(lease_on_the_file_of_another_user_cannot_be_had) {
  if (geteuid() != 0) throw Skip("only root may become another user, and this is not root");
  ScratchFolder folder;
  std::string path = folder.write("in", sample_bytes(10));
  InputFile file(path);
  CHECK_EQ(seteuid(1234), 0);
  Lease lease(file.descriptor(), path);
  CHECK_EQ(seteuid(0), 0);
  CHECK(!lease.taken());
  CHECK(lease.refusal() == EACCES || lease.refusal() == EPERM);
}

}  // namespace
}  // namespace callseal::test
