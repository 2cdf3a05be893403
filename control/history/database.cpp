#include "control/history/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>

namespace gray::control {
namespace {

constexpr int kStepsBetweenLooks = 10'000;  // of the virtual machine of SQLite: far below a millisecond

/// `cause`: errno of the system call that failed. Without descriptors or memory a good file cannot be opened either.
DatabaseError::Kind kind_of(int code, int cause) {
  switch (code & 0xFF) {
    case SQLITE_CANTOPEN:
      return cause == EISDIR || cause == EACCES || cause == ELOOP ? DatabaseError::Kind::damaged
                                                                  : DatabaseError::Kind::trouble;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return DatabaseError::Kind::busy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_SCHEMA:
    case SQLITE_ERROR:  // a table or column is missing: another program has made this file
    case SQLITE_MISMATCH:
    case SQLITE_READONLY: return DatabaseError::Kind::damaged;
    default: return DatabaseError::Kind::trouble;
  }
}

void check(sqlite3* database, int code) {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) return;
  const int extended = database == nullptr ? code : sqlite3_extended_errcode(database);
  const char* text = database == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(database);
  const int cause = database == nullptr ? 0 : sqlite3_system_errno(database);
  throw DatabaseError(kind_of(extended, cause), extended == SQLITE_INTERRUPT ? "the query took too long" : text);
}

int is_late(void* deadline) { return Clock::now() >= *static_cast<TimePoint*>(deadline) ? 1 : 0; }

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement::Statement(sqlite3* database, std::string_view sql) : database_(database) {
  sqlite3_stmt* made = nullptr;
  check(database_, sqlite3_prepare_v2(database_, sql.data(), static_cast<int>(sql.size()), &made, nullptr));
  statement_.reset(made);
}

void Statement::bind(int index, std::int64_t value) {
  check(database_, sqlite3_bind_int64(statement_.get(), index, value));
}

void Statement::bind(int index, const std::string& text) {
  check(database_,
        sqlite3_bind_text(statement_.get(), index, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT));
}

void Statement::bind_null(int index) { check(database_, sqlite3_bind_null(statement_.get(), index)); }

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  sqlite3_reset(statement_.get());
  check(database_, code);
  return false;
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  if (bytes == nullptr) return {};
  return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

Database::Database(const std::string& path, Access access) {
  const int flags = access == Access::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(opened);
  check(opened, code);
  sqlite3_extended_result_codes(opened, 1);
  check(opened, sqlite3_busy_timeout(opened, static_cast<int>(kBusy.count())));
}

void Database::run(std::string_view sql) {
  auto statement = prepare(sql);
  while (statement.step()) {
  }
}

std::int64_t Database::number(std::string_view sql) {
  auto statement = prepare(sql);
  return statement.step() ? statement.number(0) : 0;
}

void Database::give_up_at(TimePoint deadline) {
  deadline_ = std::make_unique<TimePoint>(deadline);
  sqlite3_progress_handler(database_.get(), kStepsBetweenLooks, is_late, deadline_.get());
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.run("ROLLBACK");
  } catch (const DatabaseError&) {  // SQLite has rolled back already
  }
}

void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

}  // namespace gray::control
