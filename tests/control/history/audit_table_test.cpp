#include "control/history/audit_table.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/control/history/history_support.hpp"

namespace gray::control {
namespace {

using nlohmann::json;
using test::audit_entry;

struct AuditTableFixture {
  test::Folder folder;
  std::string path = audit_path(folder.path);
  Database database = open_audit_table(path);
  std::uint64_t ordinal = 0;

  void add(AuditEntry entry, std::size_t kept = 1'000) { add_records(database, {{std::move(entry), ++ordinal}}, kept); }
  std::vector<std::string> whats(const AuditQuery& query) {
    std::vector<std::string> found;
    for (const auto& entry : find_records(database, query)) found.push_back(entry.at("what"));
    return found;
  }
};

using Whats = std::vector<std::string>;

TEST_CASE_FIXTURE(AuditTableFixture, "everything that is known of a change comes back") {
  auto entry = audit_entry("rollout-abort");
  entry.reason = "worse than stable";
  entry.before = Split{"v1", {{"v1", 80}, {"v2", 20}}};
  entry.after = Split{"v1", {{"v1", 100}}};
  entry.revision = 7;
  entry.verdict = Verdict{VerdictResult::fail, Metric::errors, "more errors", {100, 90, 1, 0.01, 2, 30}, {}};
  add(entry);
  const auto found = find_records(database, {});
  REQUIRE(found.size() == 1);
  CHECK(found[0]["id"] == 1);
  CHECK(found[0]["time"] == "2025-12-01T00:46:40.123Z");
  CHECK(found[0]["service"] == "web");
  CHECK(found[0]["version"] == "v2");
  CHECK(found[0]["what"] == "rollout-abort");
  CHECK(found[0]["actor"] == "pid 4711, uid 0");
  CHECK(found[0]["pid"] == 4711);
  CHECK(found[0]["uid"] == 0);
  CHECK(found[0]["user"] == "root");
  CHECK(found[0]["reason"] == "worse than stable");
  CHECK(found[0]["before"] == json{{"stable", "v1"}, {"weights", {{"v1", 80.0}, {"v2", 20.0}}}});
  CHECK(found[0]["after"] == json{{"stable", "v1"}, {"weights", {{"v1", 100.0}}}});
  CHECK(found[0]["revision"] == 7);
  CHECK(found[0]["verdict"]["result"] == "fail");
  CHECK(found[0]["verdict"]["metric"] == "errors");
  CHECK(found[0]["verdict"]["stable"]["requests"] == 100);
}

TEST_CASE_FIXTURE(AuditTableFixture, "what is not known is null") {
  AuditEntry entry{.what = "reload", .actor = "signal SIGHUP"};
  add(entry);
  const auto found = find_records(database, {}).at(0);
  for (const char* name : {"pid", "uid", "user", "before", "after", "revision", "verdict"})
    CHECK(found.at(name).is_null());
  CHECK(found["service"] == "");
  CHECK(found["actor"] == "signal SIGHUP");
}

TEST_CASE_FIXTURE(AuditTableFixture, "a query chooses by service, version, time, id and number") {
  for (const char* version : {"v2", "v3", "v2"}) add(audit_entry("shift", version));
  auto api = audit_entry("promote", "v9");
  api.service = "api";
  api.time += std::chrono::hours(1);
  add(api);
  CHECK(whats({}) == Whats{"shift", "shift", "shift", "promote"});
  CHECK(whats({.service = "api"}) == Whats{"promote"});
  CHECK(whats({.service = "web", .version = "v2"}).size() == 2);
  CHECK(whats({.service = "web' OR '1' = '1"}).empty());
  CHECK(whats({.since = api.time}) == Whats{"promote"});
  CHECK(whats({.id = 4}) == Whats{"promote"});
  CHECK(whats({.id = 5}).empty());
  CHECK(whats({.count = 2}) == Whats{"shift", "promote"});
  CHECK(whats({.after = 2, .count = 1}) == Whats{"shift"});  // the next one, not the newest
  CHECK(whats({.after = 4}).empty());
}

TEST_CASE_FIXTURE(AuditTableFixture, "the oldest changes are removed, and ids go on") {
  for (int i = 1; i <= 10; ++i) add(audit_entry(std::to_string(i)), 3);
  CHECK(whats({}) == Whats{"8", "9", "10"});
  CHECK(find_records(database, {}).back().at("id") == 10);
}

TEST_CASE_FIXTURE(AuditTableFixture, "a change that is written twice is kept once") {
  const std::vector<AuditRecord> same{{audit_entry("shift"), 7}};
  add_records(database, same, 1'000);
  add_records(database, same, 1'000);
  CHECK(whats({}) == Whats{"shift"});
}

TEST_CASE_FIXTURE(AuditTableFixture, "the file is for its owner only, also one that was not") {
  const auto mode = [&](const std::string& of) {
    struct stat facts{};
    REQUIRE(::stat(of.c_str(), &facts) == 0);
    return facts.st_mode & 0777;
  };
  add(audit_entry("shift"));
  CHECK(mode(path) == 0600);
  CHECK(mode(path + "-wal") == 0600);
  ::chmod(path.c_str(), 0644);
  open_audit_table(path);
  CHECK(mode(path) == 0600);
}

TEST_CASE_FIXTURE(AuditTableFixture, "a newer schema, a foreign table and a lost column count as damaged") {
  const auto why = [&] {
    try {
      open_audit_table(path);
    } catch (const DatabaseError& error) {
      CHECK(error.kind() == DatabaseError::Kind::damaged);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(why().empty());
  database.run("ALTER TABLE changes DROP COLUMN verdict");
  CHECK(why().find("no such column: verdict") != std::string::npos);
  database.run("PRAGMA user_version = 9");
  CHECK(why() == "it has schema 9, but this grayd supports 1");
  database.run("PRAGMA user_version = 0");
  CHECK(why() == "it has schema 0, but this grayd supports 1");
}

}  // namespace
}  // namespace gray::control
