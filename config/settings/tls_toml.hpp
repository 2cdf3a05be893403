#pragma once
// `[tls.NAME]` of the configuration file.
#include <vector>

#include "config/settings/settings.hpp"
#include "config/toml/toml_reader.hpp"

namespace gray {

/// `root` is the whole file.
std::vector<TlsSettings> read_tls(TomlReader& root);

/// A host for a certificate: a name without a port in lower case, or "*." and a name. Nothing for other texts.
std::optional<std::string> parse_tls_host(const std::string& text);

}  // namespace gray
