#include "crew.h"

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "test.h"

namespace callseal::test {
namespace {

// Adds up 0 … count − 1 with as many members as join.
uint64_t sum(unsigned members, uint64_t count) {
  std::atomic<uint64_t> next{0};
  std::atomic<uint64_t> total{0};
  Crew::get().run(members, [&](unsigned) {
    for (uint64_t i = next++; i < count; i = next++) total += i;
  });
  return total;
}

TEST(crew_does_all_the_work_whatever_its_size) {
  for (unsigned members : {1U, 2U, 3U, 64U}) CHECK_EQ(sum(members, 1000), uint64_t{499500});
}

TEST(crew_numbers_its_members_from_zero_without_gaps) {
  for (int round = 0; round < 200; ++round) {
    std::vector<std::atomic<int>> calls(4);
    Crew::get().run(4, [&](unsigned member) { ++calls.at(member); });
    CHECK_EQ(calls[0].load(), 1);
    for (size_t i = 1; i < calls.size(); ++i) CHECK(calls[i] <= calls[i - 1]);
  }
}

TEST(crew_lets_an_idle_helper_join) {
  if (Crew::cores() < 2) throw Skip("one core: nobody can join");
  std::atomic<bool> joined{false};
  Crew::get().run(2, [&](unsigned member) {
    if (member > 0) joined = true;
    while (member == 0 && !joined) std::this_thread::yield();
  });
  CHECK(joined.load());
}

TEST(crew_rethrows_what_a_member_threw) {
  for (unsigned thrower : {0U, 1U}) {
    std::atomic<bool> thrown{false};
    bool caught = false;
    try {
      Crew::get().run(2, [&](unsigned member) {
        if (member == thrower) {
          thrown = true;
          throw std::runtime_error("as expected");
        }
      });
    } catch (const std::runtime_error& error) {
      caught = std::string(error.what()) == "as expected";
    }
    CHECK_EQ(caught, thrown.load());
    CHECK(caught || thrower == 1);
  }
}

TEST(crew_serves_many_callers_at_once) {
  std::atomic<uint64_t> total{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&]() {
      for (int round = 0; round < 100; ++round) total += sum(4, 100);
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK_EQ(total.load(), uint64_t{8} * 100 * 4950);
}

}  // namespace
}  // namespace callseal::test
