#pragma once
// The verb `history`: its arguments as a query, and its answer. Pure; the query runs elsewhere.
//
//   history  service, version, id, since (RFC 3339), after, count    {"entries": [...], "last"}
//
// An entry is described in control/history/audit_table.hpp. `last` is the id to give as `after` in the next call.
#include <nlohmann/json.hpp>
#include <string>

#include "config/settings/settings.hpp"
#include "control/daemon.hpp"
#include "control/history/audit_reader.hpp"

namespace gray::control {

struct HistoryQuestion {
  AuditQuery query;
  std::string error;  // in the arguments; empty: none
};
HistoryQuestion history_question(const nlohmann::json& args);

/// For people: `settings` knows which names may be mistyped.
Reply history_reply(const AuditQuery& query, AuditAnswer answer, const Settings& settings);

}  // namespace gray::control
