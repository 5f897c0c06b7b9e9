// Sealing below a directory in which others may put symbolic links in the place of directories.
#include <sys/stat.h>
#include <unistd.h>

#include "seal_paths.h"

namespace callseal::test {
namespace {

const Bytes kPlain = sample_bytes(10000);

// A root with `calls/in`, and `victim/in` beside it.
class Confined {
 public:
  Confined() {
    for (const char* name : {"root", "root/calls", "root/sealed", "victim"}) {
      CHECK_EQ(mkdir(folder.path(name).c_str(), 0700), 0);
    }
    folder.write("root/calls/in", kPlain);
    folder.write("victim/in", kPlain);
    request.input = folder.path("root/calls/in");
    request.output = folder.path("root/sealed/out");
    request.input_root = request.output_root = folder.path("root");
  }

  // Puts a link to the victim in the place of a directory.
  void swap(const std::string& name) const {
    CHECK_EQ(rename(folder.path(name).c_str(), folder.path("moved").c_str()), 0);
    CHECK_EQ(symlink(folder.path("victim").c_str(), folder.path(name).c_str()), 0);
  }
  bool has(const std::string& name) const { return access(folder.path(name).c_str(), F_OK) == 0; }

  ScratchFolder folder;
  SealRequest request;
};

TEST(seal_works_below_its_root) {
  Confined confined;
  seal_request(confined.request);
  CHECK(!confined.has("root/calls/in"));
  check_sealed(confined.folder, "root/sealed/out", kPlain);
}

TEST(seal_follows_a_link_to_its_root) {
  Confined confined;
  CHECK_EQ(symlink("root", confined.folder.path("way").c_str()), 0);
  confined.request.input = confined.folder.path("way/calls/in");
  confined.request.input_root = confined.folder.path("way");
  seal_request(confined.request);
  CHECK(!confined.has("root/calls/in"));
}

TEST(seal_is_not_led_to_a_file_elsewhere) {
  Confined confined;
  confined.swap("root/calls");
  Error error = CHECK_THROWS_CODE(seal_request(confined.request), Code::kIo);
  CHECK_EQ(error.errno_name(), std::string("ENOTDIR"));
  CHECK(confined.folder.read("victim/in") == kPlain);
  CHECK(!confined.has("root/sealed/out"));
}

TEST(seal_is_not_led_to_write_elsewhere) {
  Confined confined;
  confined.swap("root/sealed");
  CHECK_THROWS_CODE(seal_request(confined.request), Code::kIo);
  CHECK_THROWS_CODE(finish_sealing(confined.request, lengths_of(kPlain)), Code::kIo);
  CHECK(confined.has("root/calls/in"));
  CHECK(!confined.has("victim/out"));
}

TEST(seal_stays_where_it_began_when_the_directory_is_swapped_meanwhile) {
  Confined confined;
  const SealSource source(confined.request);
  AtomicFile output({confined.request.output, false, true, confined.request.output_root}, &source.file());
  confined.swap("root/calls");
  JobControl control;
  seal_file(source, output, kHeader, new_message(4096), control);
  CHECK(confined.folder.read("victim/in") == kPlain);
  CHECK(!confined.has("moved/in"));
  check_sealed(confined.folder, "root/sealed/out", kPlain);
}

TEST(seal_leaves_its_root_by_no_way) {
  Confined confined;
  for (const char* input : {"root/../victim/in", "victim/in", "rootless/in"}) {
    confined.request.input = confined.folder.path(input);
    CHECK_THROWS_CODE(seal_request(confined.request), Code::kInvalidArgument);
  }
  CHECK(confined.has("victim/in"));
}

}  // namespace
}  // namespace callseal::test
