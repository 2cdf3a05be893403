#pragma once
// Frequent mistakes in a configuration file, and their remedies. Each function knows one kind of mistake. It returns
// what to write instead, or nothing if the text is not a mistake of that kind. Pure: text in, text out.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/diagnostics.hpp"

namespace gray {

/// Of a line that is not TOML: text without quotes, `key: value`, a percent sign, True for true. `line` is 1-based.
std::optional<Diagnostic> syntax_remedy(std::string_view text, std::uint32_t line);

/// A text where a list is needed: `write command = ["node", "server.js"]`.
std::string list_remedy(std::string_view key, std::string_view text);

/// A text where a number is needed: `write weight = 5`.
std::string number_remedy(std::string_view key, std::string_view text);

/// A word that differs from one of `words` in its case or by "SIG", or is nearly one: `: write "TERM"`.
std::string word_remedy(std::string_view word, const std::vector<std::string_view>& words);

/// A text that is not an address to listen on: `write "127.0.0.1:8099": names are not looked up`.
std::string listener_remedy(std::string_view text);

/// A key that other programs have, in a table of this kind: `write instances`.
std::string foreign_key_remedy(std::string_view kind, std::string_view key);

/// The table that keys of this kind are in: "[service.NAME.limits]"; empty: unknown.
std::string_view table_of(std::string_view kind);

}  // namespace gray
