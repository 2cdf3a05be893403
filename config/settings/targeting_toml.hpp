#pragma once
// `[service.NAME.allowlist]` and `[[service.NAME.rule]]` of the configuration file.
#include "config/settings/service_toml.hpp"
#include "config/settings/settings.hpp"
#include "config/toml/toml_reader.hpp"

namespace gray {

/// `table`: of the service, whose identity and versions were read before. Reads the file of the allowlist, too, if
/// TomlFile::reads_beside.
void read_targeting(TomlReader& table, ServiceSettings& service, ServiceTotals& totals);

}  // namespace gray
