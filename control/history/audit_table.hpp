#pragma once
// The file of the history, state_dir/history.db: one table `changes`, one row for each change. PRAGMA user_version is
// the number of its schema.
//
//   id, time (ms since 1970, UTC), ordinal, service, version, what, actor, pid, uid, user, reason,
//   stable_before, stable_after, weights_before, weights_after (JSON: percent of users by version), revision,
//   verdict (JSON)
//
// What is not known is NULL. (time, ordinal) is unique, so that a row that is written twice, because grayd was replaced
// at the wrong moment, is kept once.
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "control/history/audit_entry.hpp"
#include "control/history/database.hpp"

namespace gray::control {

inline constexpr int kAuditSchema = 1;

/// Where the history of a state folder is.
std::string audit_path(const std::string& state_dir);

/// For writing: makes the file (0600) and its table if they are missing, and checks its content. Throws DatabaseError;
/// a file with a different schema counts as damaged.
Database open_audit_table(const std::string& path);

struct AuditRecord {
  AuditEntry entry;
  std::uint64_t ordinal = 0;
  template <class Io>
  void archive(Io& io) {
    io("entry", entry);
    io("ordinal", ordinal);
  }
};

/// Adds the records and removes the oldest, so that `kept` are left; all or nothing. Throws DatabaseError.
void add_records(Database& database, const std::vector<AuditRecord>& records, std::size_t kept);

struct AuditQuery {
  static constexpr std::uint64_t kMost = 1'000;  // rows in one answer
  std::string service, version;                  // empty: all
  std::optional<WallTime> since;
  std::uint64_t after = 0;  // only rows with a greater id, the oldest first to be cut; 0: the newest rows
  std::uint64_t id = 0;     // only this row; 0: all
  std::uint64_t count = 50;
};

/// A list of {"id", "time", "service", "version", "what", "actor", "pid", "uid", "user", "reason", "before", "after":
/// {"stable", "weights"}, "revision", "verdict"}, the newest last; what is not known is null. Throws DatabaseError.
nlohmann::json find_records(Database& database, const AuditQuery& query);

}  // namespace gray::control
