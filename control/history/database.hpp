#pragma once
// SQLite, as far as the history needs it: a connection and its prepared statements. A connection belongs to one thread.
//
// Nothing else may open the file of a database while a connection in this process uses it: closing any descriptor of a
// file drops all POSIX locks that this process has on it, also those of SQLite.
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "config/base/time.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace gray::control {

class DatabaseError : public std::runtime_error {
 public:
  enum class Kind {
    busy,     // another process has locked it
    damaged,  // this file cannot be used; a new one could be
    trouble,  // the disk is full, a permission is missing, a query was too slow
  };
  DatabaseError(Kind its_kind, const std::string& what) : std::runtime_error(what), kind_(its_kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// Every call throws DatabaseError if it fails.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);

  // `index` of a parameter is from 1, that of a column from 0.
  void bind(int index, std::int64_t value);
  void bind(int index, const std::string& text);
  void bind_null(int index);
  /// True: there is a row. After false, the statement can be used again with the same or other values.
  bool step();
  bool is_null(int column) const;
  std::int64_t number(int column) const;
  std::string text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  sqlite3* database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  enum class Access { read, write };
  /// The time that a call waits for the lock of another process.
  static constexpr Duration kBusy{1'000};

  /// `write` makes a missing file. Throws DatabaseError.
  Database(const std::string& path, Access access);

  Statement prepare(std::string_view sql) { return Statement(database_.get(), sql); }
  /// A statement without parameters. Throws DatabaseError.
  void run(std::string_view sql);
  /// The first column of the first row, or 0.
  std::int64_t number(std::string_view sql);
  /// From `deadline` on, each query ends with DatabaseError::Kind::trouble.
  void give_up_at(TimePoint deadline);

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<TimePoint> deadline_;
  std::unique_ptr<sqlite3, Close> database_;
};

/// All that is done since is undone, unless commit() was called.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database.run("BEGIN IMMEDIATE"); }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace gray::control
