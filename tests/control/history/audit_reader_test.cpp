#include "control/history/audit_reader.hpp"

#include <doctest/doctest.h>

#include <future>

#include "tests/control/history/history_support.hpp"

namespace gray::control {
namespace {

struct AuditReaderFixture {
  test::Folder folder;
  std::string path = audit_path(folder.path);

  void fill(int count) {
    auto database = open_audit_table(path);
    for (int i = 1; i <= count; ++i)
      add_records(database, {{test::audit_entry(std::to_string(i)), static_cast<std::uint64_t>(i)}}, 1'000);
  }
};

AuditAnswer asked(AuditReader& reader, const AuditQuery& query) {
  std::promise<AuditAnswer> answer;
  REQUIRE(reader.ask(query, [&](AuditAnswer found) { answer.set_value(std::move(found)); }));
  return answer.get_future().get();
}

TEST_CASE_FIXTURE(AuditReaderFixture, "an answer has the entries; without a file there are none, and none is made") {
  AuditReader reader(folder.path);
  CHECK(asked(reader, {}).entries.empty());
  CHECK_FALSE(std::filesystem::exists(path));
  fill(3);
  CHECK(asked(reader, {}).entries.size() == 3);
  CHECK(asked(reader, {.count = 1}).entries[0]["what"] == "3");
}

TEST_CASE_FIXTURE(AuditReaderFixture, "entries are read while they are written") {
  auto writing = open_audit_table(path);
  AuditReader reader(folder.path);
  for (int i = 1; i <= 20; ++i) {
    add_records(writing, {{test::audit_entry("shift"), static_cast<std::uint64_t>(i)}}, 1'000);
    CHECK(asked(reader, {}).entries.size() == static_cast<std::size_t>(i));
  }
}

TEST_CASE_FIXTURE(AuditReaderFixture, "a file that cannot be read is named with the cause") {
  test::write_content(path, std::string(5'000, 'x'));
  AuditReader reader(folder.path);
  const auto answer = asked(reader, {});
  CHECK(answer.error == path + " cannot be read: file is not a database");
  CHECK(answer.entries.empty());
}

TEST_CASE_FIXTURE(AuditReaderFixture, "a query that takes too long is given up") {
  fill(1);
  {
    Database database(path, Database::Access::write);
    database.run(
        "WITH RECURSIVE up(n) AS (SELECT 1000 UNION ALL SELECT n + 1 FROM up WHERE n < 20000) INSERT INTO changes "
        "(time, ordinal, service, version, what, actor, reason) SELECT n, n, '', '', '', '', '' FROM up");
  }
  AuditQuery query;
  query.service = "none";
  CHECK(read_history(path, query, Duration{0}).error == path + " cannot be read: the query took too long");
}

TEST_CASE_FIXTURE(AuditReaderFixture, "too many questions at once are refused, and the others answered") {
  AuditReader reader(folder.path);
  std::promise<void> begun, go_on;
  REQUIRE(reader.ask({}, [&](const AuditAnswer&) {
    begun.set_value();
    go_on.get_future().wait();
  }));
  begun.get_future().wait();
  std::atomic<int> answered = 0;
  for (std::size_t i = 0; i < AuditReader::kWaiting; ++i)
    CHECK(reader.ask({}, [&](const AuditAnswer&) { ++answered; }));
  CHECK_FALSE(reader.ask({}, [&](const AuditAnswer&) { ++answered; }));
  go_on.set_value();
  CHECK(test::eventually([&] { return answered == static_cast<int>(AuditReader::kWaiting); }));
}

}  // namespace
}  // namespace gray::control
