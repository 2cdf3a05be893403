#pragma once
// The configuration file: its content when it was loaded, and whether its content is different now. A check is one
// stat(2), and one for each allowlist; the files are read only if one was touched since.
#include <functional>
#include <string>
#include <vector>

#include "config/base/restored.hpp"
#include "config/settings/file_stamp.hpp"
#include "config/settings/settings.hpp"
#include "config/settings/settings_toml.hpp"

namespace gray {

class ConfigFile {
 public:
  /// Not read yet.
  explicit ConfigFile(std::string path) : path_(std::move(path)), seen_(FileStamp::of(path_)) {}
  explicit ConfigFile(Restored) {}

  const std::string& path() const { return path_; }
  /// Takes the stamp before reading, so that a change during the read is not missed.
  LoadedSettings read();
  /// Parses the text of the last successful read() again: the same settings, whatever is on disk now; without their
  /// allowlists.
  LoadedSettings as_read() const { return parse_settings(text_, path_, Beside::leave); }
  /// Adds to the settings of a file what is in force beside it.
  using Complete = std::function<void(Settings&)>;
  /// Whether the settings in the file, completed, and the allowlists that it names, differ from `loaded`. A file with
  /// errors differs, and so does an unreadable one.
  bool changed(const Settings& loaded, const Complete& complete = {});
  /// The file as `read` read it has other settings than those in force: changed() need not parse it to know.
  void differs(const ConfigFile& read) {
    seen_ = read.seen_;
    seen_beside_ = read.seen_beside_;
    changed_ = true;
  }

  template <class Io>
  void archive(Io& io);

 private:
  /// Of the files that `settings` were read from, beside the configuration file.
  static std::vector<FileStamp> stamps_beside(const Settings& settings);

  std::string path_, text_;
  FileStamp seen_;
  std::vector<FileStamp> seen_beside_;  // of the allowlists, by service
  bool changed_ = false;                // of the files with these stamps
};

}  // namespace gray
