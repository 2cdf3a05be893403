#include "config/settings/config_file.hpp"

#include "config/base/archive.hpp"

namespace gray {

ConfigFile::Stamp ConfigFile::stamp() const {
  struct stat facts{};
  if (::stat(path_.c_str(), &facts) != 0) return {};
  return {facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
}

LoadedSettings ConfigFile::read() {
  seen_ = stamp();
  changed_ = false;
  return load_settings(path_, &text_);
}

bool ConfigFile::changed(const Settings& loaded, const Complete& complete) {
  const auto now = stamp();
  if (now == seen_) return changed_;
  auto fresh = load_settings(path_);
  auto* settings = std::get_if<Settings>(&fresh);
  if (settings != nullptr && complete) complete(*settings);
  changed_ = settings == nullptr || *settings != loaded;
  seen_ = now;
  return changed_;
}

template <class Io>
void ConfigFile::Stamp::archive(Io& io) {
  io("device", device);
  io("inode", inode);
  io("size", size);
  io("seconds", seconds);
  io("nanoseconds", nanoseconds);
}

template <class Io>
void ConfigFile::archive(Io& io) {
  io("path", path_);
  io("text", text_);
  io("seen", seen_);
  io("changed", changed_);
}
template void ConfigFile::archive(Save&);
template void ConfigFile::archive(Load&);

}  // namespace gray
