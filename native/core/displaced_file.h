// Removing a file by its name without ever removing another that has taken the name meanwhile.
#pragma once

#include <sys/stat.h>

#include <string>

#include "hidden_name.h"

namespace callseal {

// Gives the file `from` in a directory the name `base`, or `base.1`, … where that is taken. Replaces nothing. False
// when there is no `from`. kIo.
bool give_back(int directory, const std::string& from, const FileName& name);

// Whatever had a name, taken from it and kept under a hidden one, where it can be looked at at leisure. Given back by
// the destructor unless removed. While its owner holds a lock on the file, clean_directory() leaves it alone.
class DisplacedFile {
 public:
  // `directory` is open and outlives this. kInputChanged when nothing has the name; kIo.
  DisplacedFile(int directory, const FileName& name);
  ~DisplacedFile();
  DisplacedFile(const DisplacedFile&) = delete;
  DisplacedFile& operator=(const DisplacedFile&) = delete;

  bool is(const struct stat& other) const;
  // kIo.
  void remove();

 private:
  int directory_;
  FileName name_;
  std::string hidden_;
};

// Removes the file that is open as `fd` if it is what the name leads to. As far as that can be done: for those who have
// another error to tell.
void withdraw_file(int directory, const FileName& name, int fd);

}  // namespace callseal
