#pragma once
// `[service.NAME.release]` and `[service.NAME.rollout]` of the configuration file.
#include <optional>
#include <string>

#include "config/settings/settings.hpp"
#include "config/toml/toml_reader.hpp"

namespace gray {

/// `service` is the table of the service; nothing if it has no release.
std::optional<ReleaseSettings> read_release(TomlReader& service, const std::string& name);
RolloutSettings read_rollout(TomlReader& service);

}  // namespace gray
