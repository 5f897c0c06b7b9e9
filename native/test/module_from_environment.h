// The crypto module that tests and fuzzers run on.
//
// CALLSEAL_FIPS_DIR names a folder with fips.so and fipsmodule.cnf; CALLSEAL_FIPS=off selects the default provider.
#pragma once

#include <stdlib.h>
#include <string.h>

#include <fstream>
#include <stdexcept>
#include <string>

#include "module.h"

namespace callseal::test {

// The `key = value` lines of the only section in a fipsmodule.cnf.
inline std::string read_module_config(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::string config;
  for (std::string line; std::getline(file, line);) {
    if (line.find('=') != std::string::npos && line[0] != '#' && line[0] != '[') config += line + "\n";
  }
  return config;
}

inline ModuleOptions options_from_environment() {
  ModuleOptions options;
  const char* mode = getenv("CALLSEAL_FIPS");
  if (mode != nullptr && strcmp(mode, "off") == 0) {
    options.mode = FipsMode::kOff;
    return options;
  }
  const char* folder = getenv("CALLSEAL_FIPS_DIR");
  if (folder == nullptr) throw std::runtime_error("set CALLSEAL_FIPS_DIR, or CALLSEAL_FIPS=off");
  options.module_path = std::string(folder) + "/fips.so";
  options.module_config = read_module_config(std::string(folder) + "/fipsmodule.cnf");
  return options;
}

inline void initialise_module_from_environment() {
  Module::initialise(options_from_environment());
}

}  // namespace callseal::test
