// What killed processes leave behind under hidden names.
#pragma once

#include <cstdint>
#include <string>

namespace callseal {

struct Cleaned {
  uint64_t removed = 0;   // temporary files
  uint64_t restored = 0;  // displaced files that have a name again
};

// Goes through a directory, not below it. What a living process holds is locked, and left alone, and so is a temporary
// file beside a file that one holds. kIo, after everything else was done.
Cleaned clean_directory(const std::string& path);

}  // namespace callseal
