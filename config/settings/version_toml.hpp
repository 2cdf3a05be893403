#pragma once
// `[service.NAME.version.NAME]` of the configuration file.
#include "config/settings/settings.hpp"
#include "config/toml/toml_reader.hpp"

namespace gray {

/// `table` is the table of the version. The caller checks its weight against the other versions of the service.
VersionSettings read_version(TomlReader& table, const std::string& name);

/// Why a variable of `env` would have no effect, and what to do; empty if it has one.
std::string env_problem(std::string_view name, ListenMode listen);

}  // namespace gray
