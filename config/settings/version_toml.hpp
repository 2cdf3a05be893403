#pragma once
// `[service.NAME.version.NAME]` of the configuration file.
#include "config/settings/settings.hpp"
#include "config/settings/toml_reader.hpp"

namespace gray {

/// `table` is the version's own; whether its weight fits the other versions is the service's business.
VersionSettings read_version(TomlReader& table, const std::string& name);

}  // namespace gray
