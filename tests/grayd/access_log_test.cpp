#include "grayd/access_log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <filesystem>
#include <optional>
#include <stdexcept>

#include "tests/control/traffic/settings_support.hpp"
#include "tests/grayd/fake_owners.hpp"
#include "tests/support/temp_folder.hpp"

namespace fs = std::filesystem;
using namespace gray;
using namespace gray::master;

TEST_CASE("the log is opened to append, with its folders, and created again after it was moved") {
  const gray::test::Folder folder;
  const auto path = folder.path / "deep" / "access.log";
  const auto log = open_access_log(path);
  REQUIRE(log);
  CHECK((::fcntl(log.get(), F_GETFL) & O_APPEND) != 0);
  CHECK((::fcntl(log.get(), F_GETFD) & FD_CLOEXEC) != 0);
  fs::rename(path, folder.path / "old");
  CHECK(open_access_log(path));
  CHECK(fs::exists(path));
}

TEST_CASE("without a path there is no log") { CHECK_FALSE(open_access_log("")); }

TEST_CASE("a log that cannot be opened is refused with the remedy") {
  CHECK_THROWS_WITH_AS(open_access_log("/proc/none/access.log"), doctest::Contains("correct access_log"),
                       std::runtime_error);
}

TEST_CASE("a log that is a symbolic link is refused, and its target is not written") {
  const test::Folder folder;
  const std::string path = folder.path / "access.log", target = folder.path / "target";
  std::filesystem::create_symlink(target, path);
  CHECK_THROWS_WITH_AS(open_access_log(path),
                       doctest::Contains(": it is a symbolic link, which is not followed; correct access_log"),
                       std::runtime_error);
  CHECK_FALSE(std::filesystem::exists(target));
}

TEST_CASE("lost lines are reported once, and again only after a quiet time") {
  AccessLogWatch watch;
  TimePoint now{Duration{1'000}};
  CHECK_FALSE(watch.look(0, "/log", now));
  const auto event = watch.look(12, "/log", now);
  REQUIRE(event);
  CHECK(event->kind == EventKind::access_log_failed);
  CHECK(event->text ==
        "cannot write all lines to /log (12 lost so far, see grayd_access_log_lost_lines_total); check its disk");
  for (std::uint64_t lost = 13; lost < 300; ++lost) CHECK_FALSE(watch.look(lost, "/log", now += Duration{1'000}));
  now += AccessLogWatch::kQuiet;
  CHECK_FALSE(watch.look(299, "/log", now));
  CHECK(watch.look(300, "/log", now));
}

namespace {

struct Opened {
  test::Folder folder;
  asio::io_context io;
  Settings settings = test::settings_of(test::web());
  std::optional<Holdings> holdings;
  std::optional<Routers> routers;
  test::QuietRoutersOwner owner;
  test::KeptEvents kept;
  std::vector<EventRecord>& events = kept.events;
  std::optional<AccessLog> log;

  Opened() {
    settings.state_dir = folder.path / "state";
    settings.access_log = folder.path / "access.log";
    settings.admin = folder.path / "admin.sock";
    settings.listen = {};
    holdings.emplace(settings, ActivatedSockets{});
    routers.emplace(io, holdings->segment, holdings->router_command(), RouterSettings{}, 0, owner, kept);
    log.emplace(AccessLog::Dependencies{io, settings, *holdings, *routers, kept});
  }
};

}  // namespace

TEST_CASE_FIXTURE(Opened, "the log is reopened after it was moved; if that fails, the old one stays open") {
  std::filesystem::rename(settings.access_log, settings.access_log + ".1");
  log->reopen();
  CHECK(std::filesystem::exists(settings.access_log));
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == EventKind::access_log_reopened);
  const int open = holdings->access_log.get();
  settings.access_log = "/proc/none/access.log";
  log->reopen();
  CHECK(holdings->access_log.get() == open);
  CHECK(events[1].kind == EventKind::access_log_failed);
  CHECK(events[1].cause == "reopen");
  settings.access_log.clear();
  log->reopen();
  CHECK(events.size() == 2);
}

TEST_CASE_FIXTURE(Opened, "lost lines are reported at the next interval") {
  holdings->segment->log_lost_base = 3;
  log->watch();
  REQUIRE(events.size() == 1);
  CHECK(events[0].cause == "lines-lost");
}
