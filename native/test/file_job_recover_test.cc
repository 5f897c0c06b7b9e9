// Jobs that recover what is authentic of a file that was cut or damaged, in one thread and shared by several.

#include <errno.h>

#include <algorithm>
#include <new>

#include "error.h"
#include "file_job_paths.h"
#include "scratch.h"
#include "test.h"

namespace callseal::test {
namespace {

constexpr size_t kSegment = 65536;
constexpr size_t kStep = kSegment - kFloeSegmentOverhead;
// Ten blocks, which one thread does, and forty, which are shared.
constexpr size_t kFew = 10 * 4;
constexpr size_t kMany = 40 * 4;

size_t segment_start(size_t index) {
  return kHeader.size() + kFloeHeaderLength + index * kSegment;
}

struct Sealed {
  explicit Sealed(size_t segment_count) : segments(segment_count) {
    plaintext = sample_bytes((segments - 1) * kStep + 100);
    encrypt(folder.write("in", plaintext), folder.path("sealed"), kSegment);
    bytes = folder.read("sealed");
  }
  Bytes cut(size_t length) const { return Bytes(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(length)); }
  Bytes flipped(size_t offset) const {
    Bytes damaged = bytes;
    damaged[offset] ^= 1;
    return damaged;
  }

  ScratchFolder folder;
  size_t segments;
  Bytes plaintext;
  Bytes bytes;
};

// Recovers `damaged` with and without an output; both must agree, and the output must hold `whole` full segments and no
// byte more.
void check_loss(const Sealed& sealed, const Bytes& damaged, Loss::Reason reason, size_t whole) {
  const std::string path = sealed.folder.write("damaged", damaged);
  JobControl control;
  const OutputOptions out{sealed.folder.path("out"), true, false};
  const FileJobResult result = decrypt_paths(path, kHeader.size(), out, control, true);
  const FileJobResult alone = decrypt_paths(path, kHeader.size(), std::nullopt, control, true);
  const uint64_t length = std::min<uint64_t>(whole * kStep, sealed.plaintext.size());
  for (const FileJobResult& each : {result, alone}) {
    CHECK_EQ(each.output_bytes, length);
    CHECK(each.loss.has_value());
    CHECK(each.loss->reason == reason);
    CHECK_EQ(each.loss->segment, uint64_t{whole});
    CHECK_EQ(each.loss->offset, std::min<uint64_t>(segment_start(whole), sealed.bytes.size()));
    CHECK_EQ(each.loss->offset + each.loss->bytes, uint64_t{damaged.size()});
  }
  const Bytes written = sealed.folder.read("out");
  CHECK_EQ(written.size(), static_cast<size_t>(length));
  CHECK(std::equal(written.begin(), written.end(), sealed.plaintext.begin()));
}

TEST(recovery_releases_all_whole_segments_of_a_file_cut_short) {
  for (size_t segments : {kFew, kMany}) {
    const Sealed sealed(segments);
    for (size_t index : {size_t{0}, size_t{1}, size_t{3}, size_t{4}, segments / 2, segments - 2}) {
      for (size_t length : {size_t{0}, size_t{3}, size_t{100}, kSegment - 1}) {
        check_loss(sealed, sealed.cut(segment_start(index) + length), Loss::Reason::kTruncated, index);
      }
    }
    check_loss(sealed, sealed.cut(sealed.bytes.size() - 1), Loss::Reason::kTruncated, segments - 1);
  }
}

TEST(recovery_stops_before_the_first_damaged_segment_whatever_is_intact_behind_it) {
  for (size_t segments : {kFew, kMany}) {
    const Sealed sealed(segments);
    for (size_t index : {size_t{0}, size_t{1}, size_t{3}, size_t{4}, segments / 2, segments - 1}) {
      check_loss(sealed, sealed.flipped(segment_start(index) + 50), Loss::Reason::kDamaged, index);
      Bytes zeros = sealed.bytes;
      std::fill(zeros.begin() + static_cast<ptrdiff_t>(segment_start(index)), zeros.end(), uint8_t{0});
      check_loss(sealed, zeros, Loss::Reason::kDamaged, index);
    }
  }
}

TEST(recovery_of_a_file_with_something_behind_it_is_the_whole_plaintext) {
  for (size_t segments : {kFew, kMany}) {
    const Sealed sealed(segments);
    for (size_t extra : {size_t{1}, kSegment, 9 * kSegment}) {
      Bytes longer = sealed.bytes;
      longer.resize(longer.size() + extra);
      check_loss(sealed, longer, Loss::Reason::kTrailing, segments);
    }
  }
}

TEST(recovery_of_a_whole_file_loses_nothing) {
  const Sealed sealed(kFew);
  JobControl control;
  const OutputOptions out{sealed.folder.path("out"), false, false};
  const FileJobResult result = decrypt_paths(sealed.folder.path("sealed"), kHeader.size(), out, control, true);
  CHECK(!result.loss.has_value());
  CHECK(sealed.folder.read("out") == sealed.plaintext);
}

// malloc leaves ENOMEM also when it finds memory elsewhere.
TEST(recovery_takes_damage_for_damage_whatever_an_allocation_left_in_errno) {
  for (size_t segments : {kFew, kMany}) {
    const Sealed sealed(segments);
    JobControl control;
    control.set_guard([] { errno = ENOMEM; });  // before each block
    const std::string path = sealed.folder.write("damaged", sealed.flipped(segment_start(1) + 50));
    const OutputOptions out{sealed.folder.path("out"), false, false};
    const FileJobResult result = decrypt_paths(path, kHeader.size(), out, control, true);
    CHECK(result.loss.has_value());
    CHECK(result.loss->reason == Loss::Reason::kDamaged);
  }
}

TEST(recovery_refuses_a_header_that_is_cut_or_altered) {
  const Sealed sealed(2);
  const auto refused = [&](const Bytes& damaged, Code code) {
    JobControl control;
    const std::string path = sealed.folder.write("damaged", damaged);
    const OutputOptions out{sealed.folder.path("out"), false, false};
    CHECK_THROWS_CODE(decrypt_paths(path, kHeader.size(), out, control, true), code);
    CHECK_EQ(sealed.folder.listing(), std::string("damaged in sealed"));
  };
  refused(sealed.cut(segment_start(0) - 1), Code::kTruncated);
  for (size_t offset : {size_t{3}, size_t{20}, size_t{50}}) {
    refused(sealed.flipped(kHeader.size() + offset), Code::kTampered);
  }
}

TEST(recovery_does_not_replace_its_input) {
  const Sealed sealed(2);
  const Bytes cut = sealed.cut(sealed.bytes.size() - 1);
  const std::string path = sealed.folder.write("cut", cut);
  JobControl control;
  CHECK_THROWS_CODE(decrypt_paths(path, kHeader.size(), OutputOptions{path, true, false}, control, true),
                    Code::kInvalidArgument);
  CHECK(sealed.folder.read("cut") == cut);
  CHECK_EQ(sealed.folder.listing(), std::string("cut in sealed"));
}

}  // namespace
}  // namespace callseal::test
