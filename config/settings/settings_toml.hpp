#pragma once
// TOML to Settings: the only place that knows toml++. Every key of contract 2.2 is parsed and validated; a key whose
// function is still missing is refused as "not supported yet" when it asks for more than its default.
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings/settings.hpp"

namespace gray {

/// Either the settings, or every error at once as printed text (config/base/diagnostics.hpp renders it).
struct ConfigErrors {
  std::string text;   // ends with a newline
  std::size_t count;  // at least 1
};
using LoadedSettings = std::variant<Settings, ConfigErrors>;

/// `file` names the text in errors and anchors relative paths (to its folder).
LoadedSettings parse_settings(std::string_view text, const std::string& file);
/// Reads the file first, to `said` if that is given; a file that cannot be read is one error that names it and the
/// cause.
LoadedSettings load_settings(const std::string& file, std::string* said = nullptr);

/// The keys that could stand in this text and do not, as "limits.queue"; whether it is valid is not asked.
std::vector<std::string> keys_left_out(std::string_view text);

}  // namespace gray
