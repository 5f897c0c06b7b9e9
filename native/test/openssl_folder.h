// A temporary folder in which the real `openssl` command makes files for the tests.
#pragma once

#include <stdlib.h>
#include <sys/wait.h>

#include <stdexcept>
#include <string>

#include "scratch.h"

namespace callseal::test {

class OpensslFolder : public ScratchFolder {
 public:
  // Runs a shell command in the folder; its output goes to log.txt. Throws unless it exits 0.
  void run(const std::string& command) const {
    std::string line = "cd '" + path("") + "' && ( " + command + " ) >log.txt 2>&1 </dev/null";
    int status = system(line.c_str());
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw std::runtime_error(command + "\n" + text("log.txt"));
  }

  std::string text(const std::string& name) const {
    Bytes content = read(name);
    return std::string(content.begin(), content.end());
  }
  void write_text(const std::string& name, const std::string& content) const {
    write(name, Bytes(content.begin(), content.end()));
  }
};

}  // namespace callseal::test
