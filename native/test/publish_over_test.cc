// Files replaced in place: what fails in between, and what others do meanwhile.
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "atomic_file.h"
#include "error.h"
#include "scratch.h"
#include "system_calls.h"
#include "test.h"

namespace callseal::test {
namespace {

const Bytes kOld = {'o', 'l', 'd'};
const Bytes kNew = {'n', 'e', 'w', '!'};
const Bytes kOther = {'o', 't', 'h', 'e', 'r'};

// A file `call` and its successor, which is about to take its place.
class Replacement {
 public:
  explicit Replacement(bool unnamed = true) : input_(folder.write("call", kOld)) {
    calls.unnamed_files = unnamed;
    file_.emplace(OutputOptions{folder.path("call"), true, true}, &input_);
    file_->write(0, kNew);
    file_->sync();
    calls.seen.clear();
  }

  void publish() { file_->publish_over(input_); }
  bool published() const { return file_->published(); }
  void close() { file_.reset(); }

  void remove(const std::string& name) const { CHECK_EQ(unlink(folder.path(name).c_str()), 0); }
  // Another file takes the name.
  void put_other() const {
    folder.write("other", kOther);
    CHECK_EQ(rename(folder.path("other").c_str(), folder.path("call").c_str()), 0);
  }
  // The name of the file beside `call`.
  std::string hidden() const {
    std::string names = folder.listing();
    return names.erase(names.find(" call"));
  }

  ScratchFolder folder;
  SystemCalls calls;

 private:
  InputFile input_;
  std::optional<AtomicFile> file_;
};

void both_ways(const std::function<void(Replacement&)>& run) {
  for (bool unnamed : {true, false}) {
    Replacement replacement(unnamed);
    run(replacement);
  }
}

TEST(publish_over_names_what_it_replaced_and_cannot_remove) {
  both_ways([](Replacement& call) {
    call.calls.before = [](const std::string& name) { return name == "unlinkat" ? EIO : 0; };
    Error error = CHECK_THROWS_CODE(call.publish(), Code::kIo);
    CHECK_CONTAINS(error.what(), "call is complete and in place");
    CHECK_CONTAINS(error.what(), call.hidden());
    CHECK(call.published());
    CHECK(call.folder.read("call") == kNew);
  });
}

TEST(publish_over_does_not_miss_what_somebody_else_has_removed) {
  for (bool late : {false, true}) {
    both_ways([late](Replacement& call) {
      const auto remove = [&] { call.remove(call.hidden()); };
      if (late) {
        call.calls.before = [=](const std::string& name) { return name == "unlinkat" ? remove(), 0 : 0; };
      } else {
        call.calls.after_exchange = remove;
      }
      call.publish();
      CHECK(call.folder.read("call") == kNew);
      CHECK_EQ(call.folder.listing(), std::string("call"));
    });
  }
}

TEST(publish_over_tells_that_the_input_was_removed) {
  both_ways([](Replacement& call) {
    call.remove("call");
    Error error = CHECK_THROWS_CODE(call.publish(), Code::kInputChanged);
    CHECK_CONTAINS(error.what(), "was removed or renamed");
    call.close();
    CHECK_EQ(call.folder.listing(), std::string(""));
  });
}

// When the directory cannot be synced. `meanwhile` happens before.
Error fail_to_sync(Replacement& call, const std::function<void()>& meanwhile, int exchange_failure = 0) {
  call.calls.before = [&call, meanwhile, exchange_failure](const std::string& name) {
    if (name == "fsync") meanwhile();
    if (name == "fsync") return EIO;
    return name == "renameat2" && call.calls.count(name) == 2 ? exchange_failure : 0;
  };
  Error error = CHECK_THROWS_CODE(call.publish(), Code::kIo);
  CHECK_EQ(error.errno_name(), std::string("EIO"));
  CHECK_CONTAINS(error.what(), "cannot sync the directory of");
  return error;
}

bool tells_of_success(const Error& error) {
  return std::string(error.what()).find("complete and in place") != std::string::npos;
}

TEST(publish_over_does_not_call_complete_what_it_took_back) {
  both_ways([](Replacement& call) {
    CHECK(!tells_of_success(fail_to_sync(call, [] {})));
    CHECK(!call.published());
    call.close();
    CHECK_EQ(call.folder.listing(), std::string("call"));
    CHECK(call.folder.read("call") == kOld);
  });
}

TEST(publish_over_names_what_it_cannot_take_back) {
  both_ways([](Replacement& call) {
    Error error = fail_to_sync(
        call, [] {}, EACCES);
    CHECK(tells_of_success(error));
    CHECK_CONTAINS(error.what(), "what it replaced is " + call.folder.path(call.hidden()));
    CHECK(call.published());
    const std::string hidden = call.hidden();
    call.close();
    CHECK(call.folder.read("call") == kNew);
    CHECK(call.folder.read(hidden) == kOld);
  });
}

TEST(publish_over_takes_nothing_back_where_the_input_is_gone) {
  both_ways([](Replacement& call) {
    Error error = fail_to_sync(call, [&] { call.remove(call.hidden()); });
    CHECK(tells_of_success(error));
    CHECK_CONTAINS(error.what(), "what it replaced is gone");
    call.close();
    CHECK(call.folder.read("call") == kNew);
  });
}

TEST(publish_over_gives_the_input_its_name_back_where_its_successor_is_gone) {
  both_ways([](Replacement& call) {
    CHECK(!tells_of_success(fail_to_sync(call, [&] { call.remove("call"); })));
    call.close();
    CHECK_EQ(call.folder.listing(), std::string("call"));
    CHECK(call.folder.read("call") == kOld);
  });
}

TEST(publish_over_removes_no_file_that_came_meanwhile) {
  both_ways([](Replacement& call) {
    CHECK(!tells_of_success(fail_to_sync(call, [&] { call.put_other(); })));
    call.close();
    CHECK_EQ(call.folder.listing(), std::string("call call.1"));
    CHECK(call.folder.read("call") == kOld);
    CHECK(call.folder.read("call.1") == kOther);
  });
}

}  // namespace
}  // namespace callseal::test
