#include "control/history/audit_table.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "config/base/unique_fd.hpp"
#include "control/history/peer.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr std::string_view kCreate = R"(
CREATE TABLE changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time INTEGER NOT NULL,
  ordinal INTEGER NOT NULL,
  service TEXT NOT NULL,
  version TEXT NOT NULL,
  what TEXT NOT NULL,
  actor TEXT NOT NULL,
  pid INTEGER,
  uid INTEGER,
  user TEXT,
  reason TEXT NOT NULL,
  stable_before TEXT,
  stable_after TEXT,
  weights_before TEXT,
  weights_after TEXT,
  revision INTEGER,
  verdict TEXT,
  UNIQUE (time, ordinal)
))";

constexpr std::string_view kInsert = R"(
INSERT OR IGNORE INTO changes (time, ordinal, service, version, what, actor, pid, uid, user, reason,
                               stable_before, stable_after, weights_before, weights_after, revision, verdict)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16))";

#define GRAY_COLUMNS                                                                                 \
  "id, time, service, version, what, actor, pid, uid, user, reason, stable_before, weights_before, " \
  "stable_after, weights_after, revision, verdict FROM changes"
constexpr std::string_view kWhere =
    " WHERE id > ?1 AND (?2 = 0 OR id = ?2) AND (?3 = '' OR service = ?3) AND (?4 = '' OR version = ?4) AND time >= ?5";

std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

void bind_split(Statement& insert, int stable, int weights, const std::optional<Split>& split) {
  if (!split) {
    insert.bind_null(stable);
    insert.bind_null(weights);
    return;
  }
  insert.bind(stable, split->stable);
  insert.bind(weights, dumped(split->weights));
}

void bind_actor(Statement& insert, const std::string& actor) {
  insert.bind(6, actor);
  const auto peer = peer_in(actor);
  if (!peer) {
    for (const int index : {7, 8, 9}) insert.bind_null(index);
    return;
  }
  insert.bind(7, peer->pid);
  insert.bind(8, std::int64_t{peer->uid});
  insert.bind(9, user_name(peer->uid));
}

void insert_record(Statement& insert, const AuditRecord& record) {
  const auto& entry = record.entry;
  insert.bind(1, entry.time.time_since_epoch().count());
  insert.bind(2, static_cast<std::int64_t>(record.ordinal));
  insert.bind(3, entry.service);
  insert.bind(4, entry.version);
  insert.bind(5, entry.what);
  bind_actor(insert, entry.actor);
  insert.bind(10, entry.reason);
  bind_split(insert, 11, 13, entry.before);
  bind_split(insert, 12, 14, entry.after);
  entry.revision == 0 ? insert.bind_null(15) : insert.bind(15, static_cast<std::int64_t>(entry.revision));
  entry.verdict ? insert.bind(16, dumped(to_json(*entry.verdict))) : insert.bind_null(16);
  insert.step();
}

/// JSON in a column; null if there is none, or if it is not JSON.
json json_in(const Statement& row, int column) {
  auto value = row.is_null(column) ? json() : json::parse(row.text(column), nullptr, false);
  return value.is_discarded() ? json() : value;
}

json text_in(const Statement& row, int column) { return row.is_null(column) ? json() : json(row.text(column)); }

json number_in(const Statement& row, int column) { return row.is_null(column) ? json() : json(row.number(column)); }

json split_in(const Statement& row, int stable, int weights) {
  if (row.is_null(stable)) return {};
  return {{"stable", row.text(stable)}, {"weights", json_in(row, weights)}};
}

json record_in(const Statement& row) {
  return {{"id", row.number(0)},
          {"time", rfc3339(WallTime(WallTime::duration(row.number(1))))},
          {"service", row.text(2)},
          {"version", row.text(3)},
          {"what", row.text(4)},
          {"actor", row.text(5)},
          {"pid", number_in(row, 6)},
          {"uid", number_in(row, 7)},
          {"user", text_in(row, 8)},
          {"reason", row.text(9)},
          {"before", split_in(row, 10, 11)},
          {"after", split_in(row, 12, 13)},
          {"revision", number_in(row, 14)},
          {"verdict", json_in(row, 15)}};
}

/// SQLite gives the files beside it the same mode.
void make_private(const std::string& path) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) {
    const UniqueFd made(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  } else if (S_ISREG(facts.st_mode) && (facts.st_mode & 0077) != 0) {
    (void)!::chmod(path.c_str(), 0600);
  }
}

void check_content(Database& database) {
  auto check = database.prepare("PRAGMA quick_check(1)");
  const auto verdict = check.step() ? check.text(0) : std::string("no answer");
  if (verdict != "ok") throw DatabaseError(DatabaseError::Kind::damaged, verdict);
}

void make_table(Database& database) {
  Transaction transaction(database);
  database.run(kCreate);
  database.run(fmt::format("PRAGMA user_version = {}", kAuditSchema));
  transaction.commit();
}

}  // namespace

std::string audit_path(const std::string& state_dir) { return state_dir + "/history.db"; }

Database open_audit_table(const std::string& path) {
  make_private(path);
  Database database(path, Database::Access::write);
  database.run("PRAGMA cache_size = -256");  // KiB
  database.run("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = FULL");  // changes are rare, and none may be lost when the power fails
  database.run("PRAGMA journal_size_limit = 1048576");
  check_content(database);
  const auto schema = database.number("PRAGMA user_version");
  const bool empty = database.number("SELECT count(*) FROM sqlite_master") == 0;
  if (empty && schema == 0) {
    make_table(database);
  } else if (schema != kAuditSchema) {
    throw DatabaseError(DatabaseError::Kind::damaged,
                        fmt::format("it has schema {}, but this grayd supports {}", schema, kAuditSchema));
  }
  database.prepare("SELECT " GRAY_COLUMNS " WHERE id = 0");  // every column is there
  return database;
}

void add_records(Database& database, const std::vector<AuditRecord>& records, std::size_t kept) {
  Transaction transaction(database);
  auto insert = database.prepare(kInsert);
  for (const auto& record : records) insert_record(insert, record);
  auto forget = database.prepare("DELETE FROM changes WHERE id <= (SELECT max(id) FROM changes) - ?1");
  forget.bind(1, static_cast<std::int64_t>(kept));
  forget.step();
  transaction.commit();
}

json find_records(Database& database, const AuditQuery& query) {
  const bool forward = query.after > 0;
  auto select = database.prepare(std::string("SELECT " GRAY_COLUMNS) + std::string(kWhere) +
                                 (forward ? " ORDER BY id LIMIT ?6" : " ORDER BY id DESC LIMIT ?6"));
  select.bind(1, static_cast<std::int64_t>(query.after));
  select.bind(2, static_cast<std::int64_t>(query.id));
  select.bind(3, query.service);
  select.bind(4, query.version);
  select.bind(5, query.since ? query.since->time_since_epoch().count() : INT64_MIN);
  select.bind(6, static_cast<std::int64_t>(std::min(query.count, AuditQuery::kMost)));
  auto found = json::array();
  while (select.step()) found.push_back(record_in(select));
  if (!forward) std::ranges::reverse(found);
  return found;
}

}  // namespace gray::control
