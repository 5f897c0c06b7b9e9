#include "leftovers.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atomic_file.h"
#include "displaced_file.h"
#include "file_lock.h"
#include "hidden_name.h"
#include "scratch.h"
#include "seal_source.h"
#include "system_calls.h"
#include "test.h"

namespace callseal::test {
namespace {

const Bytes kOne = sample_bytes(100), kTwo = sample_bytes(100, 2);
const std::string kTemporary = ".call.0123456789abcdef.callseal-tmp", kPlain = ".call.0123456789abcdef.callseal-plain";

void check_cleaned(const ScratchFolder& folder, uint64_t removed, uint64_t restored) {
  const Cleaned cleaned = clean_directory(folder.path("."));
  CHECK_EQ(cleaned.removed, removed);
  CHECK_EQ(cleaned.restored, restored);
}

std::string write_private(const ScratchFolder& folder, const std::string& name, const Bytes& content) {
  std::string path = folder.write(name, content);
  CHECK_EQ(chmod(path.c_str(), 0600), 0);
  return path;
}

TEST(hidden_names_are_told_from_others) {
  for (HiddenKind kind : {HiddenKind::kTemporary, HiddenKind::kDisplaced}) {
    for (const std::string& base : {std::string("a"), std::string(".a"), std::string(222, 'x')}) {
      const std::string name = hidden_name(base, kind);
      CHECK(name.size() <= 255 && hidden_name(base, kind) != name);
      CHECK(parse_hidden_name(name)->kind == kind);
      CHECK_EQ(parse_hidden_name(name)->base, base);
    }
  }
  for (const char* name :
       {"", ".", "call", ".callseal-tmp", ".0123456789abcdef.callseal-tmp", "call.0123456789abcdef.callseal-tmp",
        ".call.0123456789abcdeF.callseal-tmp", ".call.0123456789abcde.callseal-tmp",
        ".call.0123456789abcdef.callseal-tmp.x", ".call0123456789abcdef.callseal-plain"}) {
    CHECK(!parse_hidden_name(name).has_value());
  }
}

TEST(hidden_names_that_are_too_long_are_cut_at_a_character) {
  std::string base;
  while (base.size() < 254) base += "é";
  for (const std::string& each : {base, "x" + base}) {
    const std::string name = hidden_name(each, HiddenKind::kDisplaced);
    CHECK(name.size() == 255 || name.size() == 254);
    const std::string kept = parse_hidden_name(name)->base;
    CHECK_EQ(kept.size() % 2, each.size() % 2);
    CHECK_EQ(each.compare(0, kept.size(), kept), 0);
    CHECK(numbered_name(each, 12).size() >= 254 && numbered_name(each, 12).size() <= 255);
  }
}

TEST(leftovers_of_the_dead_are_removed_or_restored) {
  ScratchFolder folder;
  write_private(folder, kTemporary, kOne);
  folder.write(kPlain, kTwo);
  check_cleaned(folder, 1, 1);
  CHECK_EQ(folder.listing(), std::string("call"));
  CHECK(folder.read("call") == kTwo);
  check_cleaned(folder, 0, 0);
}

TEST(leftovers_are_restored_beside_who_took_their_name) {
  ScratchFolder folder;
  folder.write("call", kOne);
  folder.write("call.1", kOne);
  folder.write(kPlain, kTwo);
  check_cleaned(folder, 0, 1);
  CHECK_EQ(folder.listing(), std::string("call call.1 call.2"));
  CHECK(folder.read("call.2") == kTwo);
}

// What took the place of the input at the last moment is under the temporary name until it is put back.
TEST(leftovers_beside_a_file_that_is_held_are_left_alone) {
  ScratchFolder folder;
  write_private(folder, kTemporary, kOne);
  {
    const InputFile held(folder.write("call", kTwo));
    CHECK(lock_file(held.descriptor()) == LockOutcome::kLocked);
    check_cleaned(folder, 0, 0);
    CHECK(folder.read(kTemporary) == kOne);
  }
  check_cleaned(folder, 1, 0);
  CHECK(folder.read("call") == kTwo);
}

TEST(leftovers_that_have_their_name_already_are_removed) {
  ScratchFolder folder;
  CHECK_EQ(link(write_private(folder, "call", kOne).c_str(), folder.path(kTemporary).c_str()), 0);
  check_cleaned(folder, 1, 0);
  CHECK_EQ(folder.listing(), std::string("call"));
}

// A job in place that is killed leaves the old file under the temporary name: not a file of ours.
TEST(leftovers_that_were_not_written_by_us_are_restored) {
  ScratchFolder folder;
  CHECK_EQ(chmod(folder.write(kTemporary, kOne).c_str(), 0644), 0);
  check_cleaned(folder, 0, 1);
  CHECK_EQ(folder.listing(), std::string("call"));
}

TEST(leftovers_of_the_living_are_left_alone) {
  ScratchFolder folder;
  const std::string in = folder.write("in", kOne);
  {
    SystemCalls calls;
    calls.unnamed_files = false;
    AtomicFile output({folder.path("out"), false, false});
    output.write(0, kTwo);
    SealRequest request;
    request.input = in;
    SealSource source(request);
    DisplacedFile displaced(source.directory().get(), source.name());
    const std::string before = folder.listing();
    CHECK_CONTAINS(before, ".callseal-tmp");
    CHECK_CONTAINS(before, ".callseal-plain");
    check_cleaned(folder, 0, 0);
    CHECK_EQ(folder.listing(), before);
    output.commit();
    displaced.remove();
  }
  CHECK_EQ(folder.listing(), std::string("out"));
}

TEST(leftovers_are_regular_files) {
  ScratchFolder folder;
  CHECK_EQ(mkdir(folder.path(kTemporary).c_str(), 0700), 0);
  CHECK_EQ(symlink("call", folder.path(kPlain).c_str()), 0);
  CHECK_EQ(mkfifo(folder.path(".f.0123456789abcdef.callseal-tmp").c_str(), 0600), 0);
  const std::string before = folder.listing();
  check_cleaned(folder, 0, 0);
  CHECK_EQ(folder.listing(), before);
  CHECK_THROWS_CODE(clean_directory(folder.path("absent")), Code::kIo);
}

TEST(leftovers_that_fail_do_not_keep_the_others) {
  ScratchFolder folder;
  for (char digit : std::string("123"))
    write_private(folder, ".a.000000000000000" + std::string(1, digit) + ".callseal-tmp", kOne);
  SystemCalls calls;
  calls.before = [&](const std::string& name) { return name == "unlinkat" && calls.count(name) == 1 ? EIO : 0; };
  CHECK_THROWS_CODE(clean_directory(folder.path(".")), Code::kIo);
  check_cleaned(folder, 1, 0);
}

// On file systems that can only link and unlink, a kill between the two leaves both names.
TEST(cleaning_takes_the_second_name_of_what_was_given_back) {
  ScratchFolder folder;
  folder.write("call", kOne);
  CHECK_EQ(link(folder.path("call").c_str(), folder.path(kPlain).c_str()), 0);
  SystemCalls calls;
  calls.before = [](const std::string& name) { return name == "renameat2" ? EINVAL : 0; };
  check_cleaned(folder, 0, 1);
  CHECK_EQ(folder.listing(), std::string("call"));
  CHECK(folder.read("call") == kOne);
}

}  // namespace
}  // namespace callseal::test
