#include "grayd/config_file.hpp"

#include "config/settings_toml.hpp"

namespace gray::master {

ConfigFile::Stamp ConfigFile::stamp() const {
  struct stat facts {};
  if (::stat(path_.c_str(), &facts) != 0) return {};
  return {facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
}

bool ConfigFile::changed(const Settings& loaded) {
  const auto now = stamp();
  if (now == seen_) return changed_;
  const auto fresh = load_settings(path_);
  const auto* settings = std::get_if<Settings>(&fresh);
  changed_ = settings == nullptr || *settings != loaded;
  seen_ = now;
  return changed_;
}

}  // namespace gray::master
