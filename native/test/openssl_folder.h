// A temporary folder in which the real `openssl` command makes files for the tests.
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "bytes.h"

namespace callseal::test {

class OpensslFolder {
 public:
  OpensslFolder() {
    std::string name = std::filesystem::temp_directory_path() / "callseal-test-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder");
    folder_ = name;
  }
  ~OpensslFolder() { std::filesystem::remove_all(folder_); }
  OpensslFolder(const OpensslFolder&) = delete;
  OpensslFolder& operator=(const OpensslFolder&) = delete;

  std::string path(const std::string& name) const { return folder_ / name; }

  // Runs a shell command in the folder; its output goes to log.txt. Throws unless it exits 0.
  void run(const std::string& command) const {
    if (exit_status(command) != 0) throw std::runtime_error(command + "\n" + text("log.txt"));
  }
  int exit_status(const std::string& command) const {
    std::string line = "cd '" + folder_.string() + "' && ( " + command + " ) >log.txt 2>&1 </dev/null";
    int status = system(line.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  std::string text(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    if (!file) throw std::runtime_error("no file " + path(name));
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  Bytes bytes(const std::string& name) const {
    std::string content = text(name);
    return Bytes(content.begin(), content.end());
  }
  void write(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace callseal::test
