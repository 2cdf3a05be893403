#pragma once
// The configuration file: what it said when it was read, and whether it says something else now. A look is one stat(2);
// only a file that was touched since is read.
#include <sys/stat.h>

#include <string>

#include "config/base/restored.hpp"
#include "config/settings/settings.hpp"
#include "config/settings/settings_toml.hpp"

namespace gray {

class ConfigFile {
 public:
  /// Not read yet.
  explicit ConfigFile(std::string path) : path_(std::move(path)), seen_(stamp()) {}
  explicit ConfigFile(Restored) {}

  const std::string& path() const { return path_; }
  /// Looked at before, so that a change meanwhile is not missed.
  LoadedSettings read();
  /// What it said at the last read() that found a file, again: the same settings, whatever lies on disk now.
  LoadedSettings as_read() const { return parse_settings(text_, path_); }
  /// Whether the file says something else than `loaded`; one with errors does, and one that cannot be read.
  bool changed(const Settings& loaded);

  template <class Io>
  void archive(Io& io);

 private:
  struct Stamp {
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t seconds = 0, nanoseconds = 0;  // of the last write
    bool operator==(const Stamp&) const = default;
    template <class Io>
    void archive(Io& io);
  };
  Stamp stamp() const;

  std::string path_, text_;
  Stamp seen_;
  bool changed_ = false;  // what the file of that stamp says
};

}  // namespace gray
