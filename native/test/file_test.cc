#include "file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <functional>

#include "error.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {
namespace {

TEST(input_is_a_regular_file) {
  ScratchFolder folder;
  CHECK_EQ(mkdir(folder.path("directory").c_str(), 0700), 0);
  CHECK_EQ(mkfifo(folder.path("fifo").c_str(), 0600), 0);
  CHECK_EQ(symlink("loop", folder.path("loop").c_str()), 0);
  Error error = CHECK_THROWS_CODE(InputFile(folder.path("directory")), Code::kInvalidArgument);
  CHECK_CONTAINS(error.what(), "is a directory");
  // Nobody writes to the FIFO: waiting for one would hang here.
  error = CHECK_THROWS_CODE(InputFile(folder.path("fifo")), Code::kInvalidArgument);
  CHECK_CONTAINS(error.what(), "not a regular file");
  CHECK_THROWS_CODE(InputFile("/dev/null"), Code::kInvalidArgument);
  error = CHECK_THROWS_CODE(InputFile(folder.path("absent")), Code::kIo);
  CHECK_EQ(error.errno_name(), std::string("ENOENT"));
  CHECK_EQ(error.path(), folder.path("absent"));
  error = CHECK_THROWS_CODE(InputFile(folder.path("loop")), Code::kIo);
  CHECK_EQ(error.errno_name(), std::string("ELOOP"));
}

TEST(input_may_be_refused_when_it_is_a_link) {
  ScratchFolder folder;
  folder.write("in", {});
  for (const char* target : {"in", "absent", "link"}) {
    CHECK_EQ(symlink(target, folder.path("link").c_str()), 0);
    Error error = CHECK_THROWS_CODE(InputFile(folder.path("link"), Links::kRefused), Code::kInvalidArgument);
    CHECK_CONTAINS(error.what(), "symbolic link");
    CHECK_EQ(unlink(folder.path("link").c_str()), 0);
  }
  InputFile(folder.path("in"), Links::kRefused);
}

TEST(input_is_read_whole_or_not) {
  ScratchFolder folder;
  Bytes content = sample_bytes(1000), out(1000);
  InputFile file(folder.write("in", content));
  CHECK_EQ(file.size(), uint64_t{1000});
  file.read_exactly(0, out.data(), 1000);
  CHECK(out == content);
  CHECK_THROWS_CODE(file.read_exactly(1000, out.data(), 1), Code::kInputChanged);
  CHECK_THROWS_CODE(file.read_exactly(1, out.data(), 1000), Code::kInputChanged);
  file.read_exactly(990, out.data(), 10);
  CHECK(std::equal(out.begin(), out.begin() + 10, content.begin() + 990));
  file.read_exactly(0, out.data(), 0);
  file.require_unchanged();
}

TEST(input_is_read_at_any_place) {
  ScratchFolder folder;
  Bytes content = sample_bytes(1000), out(1000);
  InputFile file(folder.write("in", content));
  CHECK_EQ(file.read_at(500, out.data(), 100), size_t{100});
  CHECK(std::equal(out.begin(), out.begin() + 100, content.begin() + 500));
  CHECK_EQ(file.read_at(990, out.data(), 100), size_t{10});
  CHECK_EQ(file.read_at(1000, out.data(), 100), size_t{0});
  CHECK_EQ(file.read_at(uint64_t{1} << 40, out.data(), 100), size_t{0});
}

TEST(input_notices_that_it_was_changed) {
  ScratchFolder folder;
  auto changed_by = [&](const std::function<void(const std::string&)>& change) {
    std::string path = folder.write("in", sample_bytes(1000));
    // A clock tick back, so that a change now has another time whatever the file system's resolution.
    timespec past[2] = {{1000000000, 0}, {1000000000, 0}};
    CHECK_EQ(utimensat(AT_FDCWD, path.c_str(), past, 0), 0);
    InputFile file(path);
    file.require_unchanged();
    change(path);
    CHECK_THROWS_CODE(file.require_unchanged(), Code::kInputChanged);
  };
  changed_by([](const std::string& path) { CHECK_EQ(truncate(path.c_str(), 999), 0); });
  changed_by([](const std::string& path) { CHECK_EQ(truncate(path.c_str(), 1001), 0); });
  changed_by([](const std::string& path) {  // same length, other bytes
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.put('x');
  });
}

}  // namespace
}  // namespace callseal::test
