#include "config/settings/config_file.hpp"

#include "config/base/archive.hpp"

namespace gray {

LoadedSettings ConfigFile::read() {
  seen_ = FileStamp::of(path_);
  changed_ = false;
  auto loaded = load_settings(path_, &text_);
  seen_beside_.clear();
  if (const auto* settings = std::get_if<Settings>(&loaded)) {
    for (const ServiceSettings& service : settings->services)
      if (!service.allowlist_source.file.empty()) seen_beside_.push_back(service.allowlist_source.stamp);
  }
  return loaded;
}

std::vector<FileStamp> ConfigFile::stamps_beside(const Settings& settings) {
  std::vector<FileStamp> stamps;
  for (const ServiceSettings& service : settings.services)
    if (!service.allowlist_source.file.empty()) stamps.push_back(FileStamp::of(service.allowlist_source.file));
  return stamps;
}

bool ConfigFile::changed(const Settings& loaded, const Complete& complete) {
  const auto now = FileStamp::of(path_);
  auto beside = stamps_beside(loaded);
  if (now == seen_ && beside == seen_beside_) return changed_;
  auto fresh = load_settings(path_);
  auto* settings = std::get_if<Settings>(&fresh);
  if (settings != nullptr && complete) complete(*settings);
  changed_ = settings == nullptr || *settings != loaded;
  seen_ = now;
  seen_beside_ = std::move(beside);
  return changed_;
}

template <class Io>
void ConfigFile::archive(Io& io) {
  io("path", path_);
  io("text", text_);
  io("seen", seen_);
  io("seen_beside", seen_beside_);
  io("changed", changed_);
}
template void ConfigFile::archive(Save&);
template void ConfigFile::archive(Load&);

}  // namespace gray
