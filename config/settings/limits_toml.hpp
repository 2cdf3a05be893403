#pragma once
// `[service.NAME.limits]` of the configuration file.
#include "config/settings/limits.hpp"
#include "config/toml/toml_reader.hpp"

namespace gray {

Limits read_limits(TomlReader& service);

}  // namespace gray
