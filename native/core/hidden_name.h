// Names of files that are not to be seen yet, or no longer: `.NAME.<16 hex>.callseal-tmp` and `….callseal-plain`.
#pragma once

#include <optional>
#include <string>

namespace callseal {

// A path taken apart: the directory, and a name in it.
struct FileName {
  std::string directory;
  std::string base;
};

// kInvalidArgument when the path ends in no name.
FileName split_name(const std::string& path);

enum class HiddenKind {
  kTemporary,  // an output that is not complete: removed when its writer is dead
  kDisplaced,  // a file taken from its name to be removed: given back when who did it is dead
};

// A fresh name beside `base`, which is cut short, at a whole character, where the two would be too long together.
std::string hidden_name(const std::string& base, HiddenKind kind);

// `base` with a number at its end, cut as above.
std::string numbered_name(const std::string& base, unsigned number);

struct HiddenName {
  HiddenKind kind;
  std::string base;
};

// What hidden_name() made; nothing for any other name.
std::optional<HiddenName> parse_hidden_name(const std::string& name);

}  // namespace callseal
