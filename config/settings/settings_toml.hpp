#pragma once
// TOML to Settings: the only code that uses toml++. Every key of contract 2.2 is parsed and validated.
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/keys/key_form.hpp"
#include "config/settings/settings.hpp"

namespace gray {

/// Either the settings, or every error at once as printed text (config/base/diagnostics.hpp renders it).
struct ConfigErrors {
  std::string text;   // ends with a newline
  std::size_t count;  // at least 1
};
using LoadedSettings = std::variant<Settings, ConfigErrors>;

/// Whether the files that the configuration names, such as that of an allowlist, are read, too. Without them the
/// settings have no allowlists.
enum class Beside : std::uint8_t { read, leave };

/// `file` is the name in error messages; relative paths begin in its folder.
LoadedSettings parse_settings(std::string_view text, const std::string& file, Beside beside = Beside::read);
/// Reads the file first, and stores its text in `said` if that is given. A file that cannot be read gives one error
/// with its name and the cause.
LoadedSettings load_settings(const std::string& file, std::string* said = nullptr);

/// The form of every key, as the readers of `text` ask for it: a text that has every table.
KeyForm described_keys(std::string_view text);

/// The keys that are allowed in this text but absent, as "limits.queue". Does not check whether the text is valid.
std::vector<std::string> keys_left_out(std::string_view text);

}  // namespace gray
