#pragma once
// The configuration file: its content when it was loaded, and whether its content is different now. A check is one
// stat(2); the file is read only if it was touched since.
#include <sys/stat.h>

#include <functional>
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
  /// Takes the stamp before reading, so that a change during the read is not missed.
  LoadedSettings read();
  /// Parses the text of the last successful read() again: the same settings, whatever is on disk now.
  LoadedSettings as_read() const { return parse_settings(text_, path_); }
  /// Adds to the settings of a file what is in force beside it.
  using Complete = std::function<void(Settings&)>;
  /// Whether the settings in the file, completed, differ from `loaded`. A file with errors differs, and so does an
  /// unreadable one.
  bool changed(const Settings& loaded, const Complete& complete = {});
  /// The file as `read` read it has other settings than those in force: changed() need not parse it to know.
  void differs(const ConfigFile& read) {
    seen_ = read.seen_;
    changed_ = true;
  }

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
  bool changed_ = false;  // of the file with that stamp
};

}  // namespace gray
