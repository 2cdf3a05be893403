#pragma once
// The configuration file as it lies on disk, compared with what is loaded. A look is one stat(2); only a file that was
// touched since is read.
#include <sys/stat.h>

#include <string>

#include "config/settings.hpp"

namespace gray::master {

class ConfigFile {
 public:
  /// The file is about to be read: looked at before, so that a change meanwhile is not missed.
  explicit ConfigFile(std::string path) : path_(std::move(path)), seen_(stamp()) {}
  /// Whether the file says something else than `loaded`; one with errors does, and one that cannot be read.
  bool changed(const Settings& loaded);

 private:
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t seconds = 0, nanoseconds = 0;  // of the last write
    bool operator==(const Stamp&) const = default;
  };
  Stamp stamp() const;

  std::string path_;
  Stamp seen_;
  bool changed_ = false;  // what the file of that stamp says
};

}  // namespace gray::master
