#include "rewrap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include <fstream>

#include "error.h"
#include "file_job_paths.h"
#include "scratch.h"
#include "system_calls.h"
#include "test.h"

namespace callseal::test {
namespace {

const PrivateKey& old_key() {
  static const PrivateKey key = PrivateKey::generate(2048);
  return key;
}
const PrivateKey& new_key() {
  static const PrivateKey key = PrivateKey::generate(3072);
  return key;
}

// A recipients section for one key: its wrapped key and nothing else.
EnvelopeTemplate form_for(const PrivateKey& key) {
  EnvelopeTemplate form;
  form.recipients = Bytes(key.public_key()->modulus_bytes());
  form.wraps = {{key.public_key(), 0}};
  form.body_label = {'b'};
  form.mac_label = {'m'};
  return form;
}

SealedEnvelope sealed(const Bytes& header, size_t wrapped_length, size_t wrapped_offset = 48) {
  ByteView all(header);
  return {all.subview(wrapped_offset, wrapped_length).copy(),
          all.subview(0, 48).copy(),
          all.subview(0, all.size() - 32).copy(),
          all.subview(all.size() - 32, 32).copy(),
          {'b'},
          {'m'}};
}

void extend(Bytes& bytes, ByteView more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

TEST(rewrap_header_gives_the_same_content_key_to_others) {
  Envelope before = make_envelope(form_for(old_key()), sample_bytes(48));
  Bytes after = rewrap_header(old_key(), sealed(before.header, 256), form_for(new_key()));
  CHECK_EQ(after.size(), size_t{48 + 384 + 32});
  SecretKey body = open_envelope(new_key(), sealed(after, 384));
  CHECK(body.bytes_for(KeyUse::kFloe).copy() == before.body_key.bytes_for(KeyUse::kFloe).copy());
  CHECK_THROWS_CODE(open_envelope(old_key(), sealed(after, 256)), Code::kTampered);
}

TEST(rewrap_header_needs_no_hole_where_all_keys_are_wrapped) {
  Envelope before = make_envelope(form_for(old_key()), sample_bytes(48));
  EnvelopeTemplate kept = form_for(old_key());
  kept.recipients = ByteView(before.header).subview(48, 256).copy();
  extend(kept.recipients, sample_bytes(5));
  kept.wraps.clear();
  Bytes after = rewrap_header(old_key(), sealed(before.header, 256), kept);
  SecretKey body = open_envelope(old_key(), sealed(after, 256));
  CHECK(body.bytes_for(KeyUse::kFloe).copy() == before.body_key.bytes_for(KeyUse::kFloe).copy());
}

TEST(rewrap_header_believes_no_header_that_is_not_authentic) {
  Bytes header = make_envelope(form_for(old_key()), sample_bytes(48)).header;
  for (size_t at : {size_t{0}, size_t{48}, header.size() - 1}) {
    Bytes altered = header;
    altered[at] ^= 1;
    CHECK_THROWS_CODE(rewrap_header(old_key(), sealed(altered, 256), form_for(new_key())), Code::kTampered);
  }
  EnvelopeTemplate outside = form_for(new_key());
  outside.wraps[0].offset = 1;
  CHECK_THROWS_CODE(rewrap_header(old_key(), sealed(header, 256), outside), Code::kInvalidArgument);
}

FileJobResult replace(const std::string& path, const Bytes& header, uint64_t rest) {
  InputFile input(path);
  JobControl control;
  FileJobResult result = replace_header(input, header, rest, control);
  CHECK_EQ(control.progress(), result.input_bytes);
  return result;
}

TEST(replace_header_keeps_what_follows_it) {
  ScratchFolder folder;
  constexpr size_t kCopy = size_t{1} << 20;
  for (size_t rest_length : {size_t{0}, size_t{1}, kCopy - 1, kCopy, kCopy + 1, 3 * kCopy + 7}) {
    for (size_t header_length : {0, 1, 500, 3000}) {
      const Bytes content = sample_bytes(500 + rest_length);
      const std::string path = folder.write("call", content);
      Bytes expected = sample_bytes(header_length, 9);
      FileJobResult result = replace(path, expected, 500);
      extend(expected, ByteView(content).subview(500, rest_length));
      CHECK(folder.read("call") == expected);
      CHECK_EQ(result.input_bytes, uint64_t{content.size()});
      CHECK_EQ(result.output_bytes, uint64_t{expected.size()});
      CHECK_EQ(folder.listing(), std::string("call"));
    }
  }
}

void make_old(const std::string& path) {
  CHECK_EQ(chmod(path.c_str(), 0640), 0);
  const timespec past[2] = {{1000000000, 5}, {1000000000, 5}};
  CHECK_EQ(utimensat(AT_FDCWD, path.c_str(), past, 0), 0);
}

void check_old(const std::string& path) {
  struct stat after {};
  CHECK_EQ(stat(path.c_str(), &after), 0);
  CHECK_EQ(after.st_mode & 07777, 0640u);
  CHECK_EQ(after.st_mtim.tv_sec, time_t{1000000000});
  CHECK_EQ(after.st_mtim.tv_nsec, 5L);
}

TEST(replace_header_keeps_mode_and_time) {
  ScratchFolder folder;
  const std::string path = folder.write("call", sample_bytes(1000));
  make_old(path);
  replace(path, sample_bytes(10), 500);
  check_old(path);
}

TEST(replace_header_keeps_mode_and_time_of_a_file_that_is_in_place_whatever_comes_then) {
  struct Trouble {
    bool like_nfs;  // names cannot be exchanged
    const char* failing;
    size_t nth;
  };
  for (const Trouble& each : {Trouble{false, "unlinkat", 1}, Trouble{true, "fsync", 2}}) {
    ScratchFolder folder;
    const std::string path = folder.write("call", sample_bytes(1000));
    make_old(path);
    SystemCalls calls;
    calls.before = [&](const std::string& name) {
      if (name == "renameat2" && each.like_nfs) return EINVAL;
      return name == each.failing && calls.count(name) == each.nth ? EIO : 0;
    };
    const Error error = CHECK_THROWS_CODE(replace(path, sample_bytes(10), 500), Code::kIo);
    CHECK_CONTAINS(error.what(), "complete and in place");
    check_old(path);
  }
}

TEST(replace_header_loses_nothing_that_comes_meanwhile) {
  struct Disturbance {
    const char* before;
    bool newcomer;  // another file takes the name; else the input grows
  };
  for (const Disturbance& each :
       {Disturbance{"pwrite", false}, Disturbance{"pwrite", true}, Disturbance{"fsync", false},
        Disturbance{"fsync", true}, Disturbance{"renameat2", true}}) {
    ScratchFolder folder;
    const Bytes content = sample_bytes(5000);
    const std::string path = folder.write("call", content);
    const timespec past[2] = {{1000000000, 0}, {1000000000, 0}};
    CHECK_EQ(utimensat(AT_FDCWD, path.c_str(), past, 0), 0);
    SystemCalls calls;
    calls.before = [&](const std::string& name) {
      if (name != each.before || calls.count(name) != 1) return 0;
      if (each.newcomer) {
        folder.write("other", sample_bytes(5));
        CHECK_EQ(rename(folder.path("other").c_str(), path.c_str()), 0);
      } else {
        std::ofstream(path, std::ios::app) << "LATE";
      }
      return 0;
    };
    CHECK_THROWS_CODE(replace(path, sample_bytes(10), 500), Code::kInputChanged);
    Bytes expected = each.newcomer ? sample_bytes(5) : content;
    if (!each.newcomer) expected.insert(expected.end(), {'L', 'A', 'T', 'E'});
    CHECK(folder.read("call") == expected);
    CHECK_EQ(folder.listing(), std::string("call"));
  }
}

TEST(replace_header_takes_no_other_file_for_its_own) {
  ScratchFolder folder;
  const std::string path = folder.write("call", sample_bytes(1000));
  InputFile input(path);
  folder.write("other", sample_bytes(5));
  CHECK_EQ(rename(folder.path("other").c_str(), path.c_str()), 0);
  JobControl control;
  CHECK_THROWS_CODE(replace_header(input, sample_bytes(10), 500, control), Code::kInputChanged);
  CHECK(folder.read("call") == sample_bytes(5));
  CHECK_THROWS_CODE(replace(path, sample_bytes(10), 6), Code::kInvalidArgument);
}

// Has the n-th system call fail, for every n: the file stays as it was until it is as it shall be.
template <typename Job>
void survive_every_failure(const ScratchFolder& folder, Job&& job) {
  const Bytes before = folder.read("call");
  for (size_t failing = 1;; ++failing) {
    size_t calls_made = 0;
    bool failed = false;
    {
      SystemCalls calls;
      calls.before = [&](const std::string& name) {
        failed = failed || (++calls_made == failing && name != "fchown");
        return calls_made == failing && name != "fchown" ? ENOSPC : 0;
      };
      try {
        job();
      } catch (const Error& error) {
        CHECK(error.code() == Code::kIo);
      }
    }
    CHECK_EQ(folder.listing(), std::string("call"));
    if (folder.read("call") != before) {
      if (!failed) return;
      folder.write("call", before);  // its directory could not be synced
    }
    if (failing > 100) throw Failure("never succeeds");
  }
}

TEST(replace_header_survives_every_failure) {
  ScratchFolder folder;
  folder.write("call", sample_bytes(3 << 20));
  survive_every_failure(folder, [&] { replace(folder.path("call"), sample_bytes(10), 500); });
}

const SecretKey& other_key() {
  static const SecretKey key(KeyUse::kFloe, sample_bytes(32, 5));
  return key;
}

StartedFile started_file(uint32_t segment_length) {
  return {sample_bytes(20, 3), FloeMessage::create(other_key(), kAad, segment_length), std::nullopt};
}

FileJobResult rekey(const std::string& path, const FileBody& body, const StartedFile& file) {
  InputFile input(path);
  AtomicFile output({path, true, true}, &input);
  JobControl control;
  FileJobResult result = rekey_file(input, body, sample_key(), kAad, output, file, control);
  CHECK_EQ(control.progress(), result.input_bytes);
  return result;
}

TEST(rekey_file_survives_every_failure) {
  ScratchFolder folder;
  folder.write("plain", sample_bytes(3 << 20));
  encrypt(folder.path("plain"), folder.path("call"));
  CHECK_EQ(remove(folder.path("plain").c_str()), 0);
  const FileBody body{kHeader.size(), folder.read("call").size()};
  const StartedFile file = started_file(65536);
  survive_every_failure(folder, [&] { rekey(folder.path("call"), body, file); });
}

TEST(rekey_file_reads_as_far_as_the_body_goes) {
  ScratchFolder folder;
  folder.write("plain", sample_bytes(10000));
  encrypt(folder.path("plain"), folder.path("whole"));
  const Bytes whole = folder.read("whole");
  const StartedFile file = started_file(1024);

  Bytes trailed = whole;
  extend(trailed, sample_bytes(100));
  folder.write("call", trailed);
  rekey(folder.path("call"), {kHeader.size(), whole.size()}, file);
  CHECK_EQ(folder.read("call").size(), 20 + static_cast<size_t>(file.message.encrypted_length(10000)));

  folder.write("call", trailed);
  CHECK_THROWS_CODE(rekey(folder.path("call"), {kHeader.size(), trailed.size()}, file), Code::kTampered);
  for (uint64_t end : {uint64_t{0}, uint64_t{kHeader.size()}, uint64_t{kHeader.size() + 73}, uint64_t{whole.size() - 1},
                       uint64_t{trailed.size() + 1}}) {
    CHECK_THROWS_CODE(rekey(folder.path("call"), {kHeader.size(), end}, file), Code::kTruncated);
  }
  CHECK(folder.read("call") == trailed);
}

}  // namespace
}  // namespace callseal::test
