#pragma once
// Texts of configuration files for tests, and the settings or errors that they give.
#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "config/settings/settings_toml.hpp"

namespace gray::test {

inline const std::string kSmallest = "[service.web]\nstable = 'v1'\n[service.web.version.v1]\ncommand = ['node']\n";
inline constexpr const char* kFile = "/etc/gray/g.toml";

inline Settings loaded(const std::string& text) {
  LoadedSettings result = parse_settings(text, kFile);
  if (const auto* errors = std::get_if<ConfigErrors>(&result)) FAIL(errors->text);
  return std::get<Settings>(std::move(result));
}

inline ConfigErrors refused(const std::string& text) {
  LoadedSettings result = parse_settings(text, kFile);
  if (!std::holds_alternative<ConfigErrors>(result)) FAIL("accepted: ", text);
  return std::get<ConfigErrors>(std::move(result));
}

inline bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// A file with one service, one version, and `lines` in `[service.web]` or in its stable version.
inline std::string with_service(const std::string& lines) {
  return "[service.web]\nstable = 'v1'\nversion.v1.command = ['node']\n" + lines + "\n";
}
inline std::string with_version(const std::string& lines) { return kSmallest + lines + "\n"; }

}  // namespace gray::test
