#include "control/history/database.hpp"

#include <doctest/doctest.h>

#include "tests/control/history/history_support.hpp"

namespace gray::control {
namespace {

using Kind = DatabaseError::Kind;

struct DatabaseFixture {
  test::Folder folder;
  std::string path = folder.path / "a.db";
  Database database{path, Database::Access::write};

  DatabaseFixture() { database.run("CREATE TABLE t (n INTEGER, s TEXT)"); }
  void insert(std::int64_t number, const std::string& text) {
    auto statement = database.prepare("INSERT INTO t VALUES (?1, ?2)");
    statement.bind(1, number);
    statement.bind(2, text);
    statement.step();
  }
};

Kind kind_of_error(const std::function<void()>& act) {
  try {
    act();
  } catch (const DatabaseError& error) {
    CHECK_FALSE(std::string(error.what()).empty());
    return error.kind();
  }
  FAIL("no error");
  return Kind::busy;
}

TEST_CASE_FIXTURE(DatabaseFixture, "values are bound, never part of the SQL, and come back as they were") {
  const std::string text = "'); DROP TABLE t; -- \xff \n";
  insert(INT64_MIN, text);
  auto statement = database.prepare("SELECT n, s, NULL FROM t");
  REQUIRE(statement.step());
  CHECK(statement.number(0) == INT64_MIN);
  CHECK(statement.text(1) == text);
  CHECK(statement.is_null(2));
  CHECK(statement.text(2).empty());
  CHECK_FALSE(statement.step());
  CHECK(statement.step());  // it starts anew
}

TEST_CASE_FIXTURE(DatabaseFixture, "a transaction without commit leaves nothing") {
  {
    Transaction transaction(database);
    insert(1, "a");
  }
  CHECK(database.number("SELECT count(*) FROM t") == 0);
  Transaction transaction(database);
  insert(1, "a");
  transaction.commit();
  CHECK(database.number("SELECT count(*) FROM t") == 1);
}

TEST_CASE_FIXTURE(DatabaseFixture, "a lock of another connection is busy, not damage") {
  Database other(path, Database::Access::write);
  Transaction transaction(database);
  CHECK(kind_of_error([&] { other.run("BEGIN IMMEDIATE"); }) == Kind::busy);
}

TEST_CASE_FIXTURE(DatabaseFixture, "garbage and a folder count as damaged, a missing file to be read does not") {
  test::write_content(folder.path / "garbage", std::string(5'000, 'x'));
  CHECK(kind_of_error([&] {
          Database garbage(folder.path / "garbage", Database::Access::write);
          garbage.run("SELECT * FROM t");
        }) == Kind::damaged);
  std::filesystem::create_directory(folder.path / "folder");
  CHECK(kind_of_error([&] { Database in_folder(folder.path / "folder", Database::Access::write); }) == Kind::damaged);
  CHECK(kind_of_error([&] { Database missing(folder.path / "missing", Database::Access::read); }) == Kind::trouble);
}

TEST_CASE_FIXTURE(DatabaseFixture, "a connection for reading cannot write") {
  Database reading(path, Database::Access::read);
  CHECK(reading.number("SELECT count(*) FROM t") == 0);
  CHECK_THROWS_AS(reading.run("INSERT INTO t VALUES (1, 'a')"), DatabaseError);
}

TEST_CASE_FIXTURE(DatabaseFixture, "a query ends at its deadline") {
  database.give_up_at(Clock::now());
  CHECK_THROWS_WITH_AS(
      database.number("WITH RECURSIVE up(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM up) SELECT max(n) FROM up"),
      "the query took too long", DatabaseError);
}

}  // namespace
}  // namespace gray::control
