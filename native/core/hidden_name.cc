#include "hidden_name.h"

#include <errno.h>
#include <sys/random.h>

#include <array>

#include "error.h"

namespace callseal {
namespace {

constexpr size_t kMaxNameLength = 255;
constexpr char kTemporarySuffix[] = ".callseal-tmp";
constexpr char kDisplacedSuffix[] = ".callseal-plain";
constexpr size_t kDigits = 16;

std::string random_hex() {
  std::array<uint8_t, kDigits / 2> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error::io(errno, "cannot read random bytes for a temporary name from", "the kernel");
  }
  static constexpr char kDigitsOf[] = "0123456789abcdef";
  std::string text;
  for (uint8_t byte : bytes) {
    text += kDigitsOf[byte >> 4];
    text += kDigitsOf[byte & 15];
  }
  return text;
}

// At most `length` bytes of it, and no part of a UTF-8 character at the end.
std::string cut(const std::string& text, size_t length) {
  if (text.size() <= length) return text;
  while (length > 0 && (static_cast<uint8_t>(text[length]) & 0xc0) == 0x80) --length;
  return text.substr(0, length);
}

std::string with_tail(const std::string& head, const std::string& tail) {
  return cut(head, kMaxNameLength - tail.size()) + tail;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

}  // namespace

FileName split_name(const std::string& path) {
  size_t slash = path.rfind('/');
  FileName name;
  name.directory = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  name.base = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.base.empty() || name.base == "." || name.base == "..") {
    throw Error(Code::kInvalidArgument, "the output " + path + " names no file");
  }
  return name;
}

std::string hidden_name(const std::string& base, HiddenKind kind) {
  return with_tail("." + base,
                   "." + random_hex() + (kind == HiddenKind::kTemporary ? kTemporarySuffix : kDisplacedSuffix));
}

std::string numbered_name(const std::string& base, unsigned number) {
  return with_tail(base, "." + std::to_string(number));
}

std::optional<HiddenName> parse_hidden_name(const std::string& name) {
  for (HiddenKind kind : {HiddenKind::kTemporary, HiddenKind::kDisplaced}) {
    const std::string suffix = kind == HiddenKind::kTemporary ? kTemporarySuffix : kDisplacedSuffix;
    const size_t tail = 1 + kDigits + suffix.size();
    if (!ends_with(name, suffix) || name[0] != '.' || name.size() < 1 + 1 + tail) continue;
    const size_t dot = name.size() - tail;
    if (name[dot] != '.') continue;
    if (name.find_first_not_of("0123456789abcdef", dot + 1) != dot + 1 + kDigits) continue;
    return HiddenName{kind, name.substr(1, dot - 1)};
  }
  return std::nullopt;
}

}  // namespace callseal
