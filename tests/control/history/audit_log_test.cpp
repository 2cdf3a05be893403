#include "control/history/audit_log.hpp"

#include <doctest/doctest.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include <mutex>
#include <optional>

#include "config/base/archive.hpp"
#include "tests/control/history/history_support.hpp"

namespace gray::control {
namespace {

using test::audit_entry;
using test::eventually;
using test::whats_in;
using Whats = std::vector<std::string>;
namespace fs = std::filesystem;

struct AuditLogFixture {
  test::Folder folder;
  std::string path = audit_path(folder.path);
  std::mutex mutex;
  std::vector<EventRecord> reported;  // under the mutex
  std::optional<AuditLog> log;

  void open(std::size_t kept = AuditLog::kKept) {
    log.emplace(
        folder.path,
        [this](EventRecord event) {
          const std::lock_guard lock(mutex);
          reported.push_back(std::move(event));
        },
        kept, Duration{5});
  }
  void begin() {
    open();
    log->resume();
  }
  /// Everything is written.
  void end() { log.reset(); }
  std::vector<EventRecord> reports() {
    const std::lock_guard lock(mutex);
    return reported;
  }
  /// The file cannot be used: it is moved aside, named, and a new one has what is added.
  void check_begun_anew(const std::string& why) {
    begin();
    log->add(audit_entry("new"));
    end();
    REQUIRE(reported.size() == 1);
    CHECK(reported[0].kind == EventKind::history_failed);
    CHECK(reported[0].cause == "damaged");
    CHECK(reported[0].text.starts_with(path + " cannot be used ("));
    CHECK(reported[0].text.ends_with("); moved to " + path + ".damaged; a new history begins"));
    CHECK(reported[0].text.find(why) != std::string::npos);
    CHECK(whats_in(path) == Whats{"new"});
    CHECK(fs::exists(path + ".damaged"));
  }
};

TEST_CASE_FIXTURE(AuditLogFixture, "changes are in the file in their order, with the time of their adding") {
  begin();
  for (int i = 0; i < 250; ++i) log->add({.what = std::to_string(i), .actor = "grayd"});
  end();
  const auto entries = test::entries_in(path);
  REQUIRE(entries.size() == 250);
  for (std::size_t i = 0; i < 250; ++i) CHECK(entries[i]["what"] == std::to_string(i));
  const auto time = wall_time_from(entries[0]["time"].get<std::string>());
  REQUIRE(time);
  CHECK(wall_now() - *time < std::chrono::minutes(1));
  CHECK(reported.empty());
}

TEST_CASE_FIXTURE(AuditLogFixture, "the next grayd goes on in the same file, and only the last changes are kept") {
  begin();
  log->add(audit_entry("1"));
  end();
  open(2);
  log->resume();
  for (const char* what : {"2", "3"}) log->add({.what = what, .actor = "grayd"});
  end();
  CHECK(whats_in(path) == Whats{"2", "3"});
}

TEST_CASE_FIXTURE(AuditLogFixture, "nothing is touched before the first resume") {
  open();
  log->add(audit_entry("early"));
  CHECK_FALSE(fs::exists(path));
  end();  // then it is written
  CHECK(whats_in(path) == Whats{"early"});
}

TEST_CASE_FIXTURE(AuditLogFixture, "a long reason is cut") {
  begin();
  auto entry = audit_entry("shift");
  entry.reason = std::string(5'000, 'x');
  log->add(entry);
  end();
  CHECK(test::entries_in(path)[0]["reason"].get<std::string>() == std::string(997, 'x') + "...");
}

TEST_CASE_FIXTURE(AuditLogFixture, "a file of garbage is moved aside") {
  test::write_content(path, std::string(10'000, 'x'));
  check_begun_anew("not a database");
  CHECK(test::content_of(path + ".damaged") == std::string(10'000, 'x'));
}

TEST_CASE_FIXTURE(AuditLogFixture, "a truncated file is moved aside") {
  begin();
  for (int i = 0; i < 200; ++i) log->add({.what = "old", .actor = "grayd", .reason = std::string(500, 'x')});
  end();
  fs::resize_file(path, fs::file_size(path) / 2);
  check_begun_anew("");
}

TEST_CASE_FIXTURE(AuditLogFixture, "a file of a newer grayd is moved aside") {
  begin();
  end();
  Database(path, Database::Access::write).run("PRAGMA user_version = 9");
  check_begun_anew("it has schema 9, but this grayd supports 1");
}

TEST_CASE_FIXTURE(AuditLogFixture, "a folder in the place of the file is moved aside, although there was one before") {
  fs::create_directories(path + ".damaged/kept");
  fs::create_directory(path);
  begin();
  log->add(audit_entry("new"));
  end();
  REQUIRE(reported.size() == 1);
  CHECK(reported[0].text.find("moved to " + path + ".damaged.2;") != std::string::npos);
  CHECK(fs::is_directory(path + ".damaged.2"));
  CHECK(whats_in(path) == Whats{"new"});
}

TEST_CASE_FIXTURE(AuditLogFixture, "a file that is damaged while it is used is moved aside, and no change is lost") {
  begin();
  log->add(audit_entry("1"));
  log->settle(Duration{20'000});
  Database(path, Database::Access::write).run("DROP TABLE changes");
  log->resume();
  log->add({.what = "2", .actor = "grayd"});
  end();
  CHECK(whats_in(path) == Whats{"2"});
  CHECK(reported.size() == 1);
}

TEST_CASE_FIXTURE(AuditLogFixture, "a file that was removed is made again") {
  begin();
  log->add(audit_entry("1"));
  log->settle(Duration{20'000});
  for (const char* beside : {"", "-wal", "-shm"}) fs::remove(path + beside);
  log->resume();
  log->add({.what = "2", .actor = "grayd"});
  end();
  CHECK(whats_in(path) == Whats{"2"});
}

TEST_CASE_FIXTURE(AuditLogFixture, "while another process has the lock changes wait, which is reported once") {
  begin();
  log->add({.what = "0", .actor = "grayd"});
  log->settle(Duration{20'000});
  std::optional<Database> other(std::in_place, path, Database::Access::write);
  std::optional<Transaction> lock(std::in_place, *other);
  log->resume();
  log->add({.what = "1", .actor = "grayd"});
  REQUIRE(eventually([&] { return reports().size() == 1; }));
  CHECK(reports()[0].cause == "disk");
  CHECK(reports()[0].text ==
        "changes cannot be written to " + path + ": database is locked; grayd goes on without, and tries again");
  log->add({.what = "2", .actor = "grayd"});
  lock.reset();
  other.reset();
  REQUIRE(eventually([&] { return whats_in(path) == Whats{"0", "1", "2"}; }));
  end();
  CHECK(reported.size() == 1);
}

TEST_CASE_FIXTURE(AuditLogFixture, "more changes than may wait are lost, counted and reported") {
  begin();
  log->settle(Duration{20'000});  // the writer rests, as if the disk were stalled
  const auto before = Clock::now();
  for (std::size_t i = 0; i < AuditLog::kQueued + 5; ++i) log->add({.what = "shift", .actor = "grayd"});
  CHECK(Clock::now() - before < Duration{1'000});
  CHECK(log->lost() == 5);
  log->resume();
  REQUIRE(eventually([&] { return reports().size() == 1; }));
  CHECK(reports()[0].cause == "lost");
  CHECK(reports()[0].text == "5 changes are missing in " + path);
  end();
  CHECK(whats_in(path).size() == AuditLog::kQueued);
}

TEST_CASE_FIXTURE(AuditLogFixture, "in a folder that may not be written to grayd goes on without history") {
  fs::create_directory(path);
  fs::permissions(folder.path, fs::perms(0555));
  const auto before = ::setfsuid(::geteuid() == 0 ? 65534 : ::geteuid());  // root may write anywhere
  begin();
  log->add(audit_entry("1"));
  REQUIRE(eventually([&] { return reports().size() == 1; }));
  CHECK(reports()[0].cause == "disk");
  CHECK(reports()[0].text.find("and it cannot be moved aside: Permission denied") != std::string::npos);
  end();
  ::setfsuid(static_cast<uid_t>(before));
  fs::permissions(folder.path, fs::perms(0755));
}

TEST_CASE_FIXTURE(AuditLogFixture, "after an exec what was not written is written once") {
  begin();
  log->add(audit_entry("1"));
  log->settle(Duration{20'000});
  log->add({.what = "2", .actor = "grayd"});
  gray::Save to;
  log->archive(to);
  const auto written = to.take();
  gray::Load from(written);
  std::vector<EventRecord> ignored;
  AuditLog next(folder.path, [](const EventRecord&) {});
  next.archive(from);
  next.resume();
  next.add({.what = "3", .actor = "grayd"});
  REQUIRE(eventually([&] { return whats_in(path).size() == 3; }));
  CHECK(whats_in(path) == Whats{"1", "2", "3"});
  end();  // the old image would write it, too, if the exec had failed
  CHECK(whats_in(path) == Whats{"1", "2", "3"});
}

}  // namespace
}  // namespace gray::control
