#pragma once
// Changes of `grayctl history` as text. An entry is one member of "entries" of GET /v1/history, see
// control/history/audit_table.hpp. Pure.
#include <nlohmann/json.hpp>
#include <string>

#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// A table with one line for each entry.
std::string view_entries(const nlohmann::json& entries, const Terminal& terminal);

/// One line, for entries that are shown as they come.
std::string view_entry_line(const nlohmann::json& entry, const Terminal& terminal);

/// Everything that is known of one entry, with the figures of the verdict.
std::string view_entry(const nlohmann::json& entry, const Terminal& terminal);

}  // namespace gray::control
