#pragma once
// `[service.NAME.limits]` of the configuration file.
#include "config/limits.hpp"
#include "config/toml_reader.hpp"

namespace gray {

Limits read_limits(TomlReader& service);

}  // namespace gray
