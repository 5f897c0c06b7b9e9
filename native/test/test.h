// A small check framework for the stand-alone core tests: TEST registers, CHECK… throws, main.cc runs.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "error.h"

namespace callseal::test {

// A check that did not hold; ends its test.
struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A test that cannot run here; `what()` says what was missed.
struct Skip : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct TestCase {
  const char* name;
  void (*run)();
};

inline std::vector<TestCase>& registry() {
  static std::vector<TestCase> cases;
  return cases;
}

struct Registration {
  Registration(const char* name, void (*run)()) { registry().push_back({name, run}); }
};

[[noreturn]] inline void fail(const char* file, int line, const std::string& message) {
  throw Failure(std::string(file) + ":" + std::to_string(line) + ": " + message);
}

template <typename A, typename B>
void check_equal(const A& actual, const B& expected, const char* text, const char* file, int line) {
  if (actual == expected) return;
  std::ostringstream message;
  message << text << ": got \"" << actual << "\", expected \"" << expected << "\"";
  fail(file, line, message.str());
}

inline void check_contains(const std::string& text, const std::string& part, const char* file, int line) {
  if (text.find(part) == std::string::npos) fail(file, line, "\"" + text + "\" does not contain \"" + part + "\"");
}

// Runs `body`, which must throw an Error with `code`, and returns that error for further checks.
template <typename Body>
Error expect_error(Code code, Body&& body, const char* text, const char* file, int line) {
  try {
    body();
  } catch (const Error& error) {
    if (error.code() == code) return error;
    fail(file, line,
         std::string(text) + ": threw " + std::string(code_name(error.code())) + " (" + error.what() + "), expected " +
             std::string(code_name(code)));
  }
  fail(file, line, std::string(text) + ": did not throw, expected " + std::string(code_name(code)));
}

}  // namespace callseal::test

#define TEST(name)                                                                     \
  static void test_##name();                                                           \
  static const ::callseal::test::Registration registration_##name(#name, test_##name); \
  static void test_##name()

#define CHECK(condition)                                                                        \
  do {                                                                                          \
    if (!(condition)) ::callseal::test::fail(__FILE__, __LINE__, "does not hold: " #condition); \
  } while (false)

#define CHECK_EQ(actual, expected) ::callseal::test::check_equal((actual), (expected), #actual, __FILE__, __LINE__)

#define CHECK_CONTAINS(text, part) ::callseal::test::check_contains((text), (part), __FILE__, __LINE__)

// Evaluates `expression`, which must throw an Error of `code`; its value is that Error.
#define CHECK_THROWS_CODE(expression, code) \
  ::callseal::test::expect_error((code), [&] { (void)(expression); }, #expression, __FILE__, __LINE__)
