#include "grayd/access_log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <filesystem>
#include <stdexcept>

#include "tests/grayd/temp_folder.hpp"

namespace fs = std::filesystem;
using namespace gray;
using namespace gray::master;

TEST_CASE("the log is opened to append, with its folders, and once more after it was moved") {
  const gray::master::test::Folder folder;
  const auto path = folder.path / "deep" / "access.log";
  const auto log = open_access_log(path);
  REQUIRE(log);
  CHECK((::fcntl(log.get(), F_GETFL) & O_APPEND) != 0);
  CHECK((::fcntl(log.get(), F_GETFD) & FD_CLOEXEC) != 0);
  fs::rename(path, folder.path / "old");
  CHECK(open_access_log(path));
  CHECK(fs::exists(path));
}

TEST_CASE("no path, no log") { CHECK_FALSE(open_access_log("")); }

TEST_CASE("a log that cannot be opened is refused with the remedy") {
  CHECK_THROWS_WITH_AS(open_access_log("/proc/none/access.log"), doctest::Contains("correct access_log"),
                       std::runtime_error);
}

TEST_CASE("lost lines are said once, and again only after a quiet time") {
  AccessLogWatch watch;
  TimePoint now{Duration{1'000}};
  CHECK_FALSE(watch.look(0, "/log", now));
  const auto event = watch.look(12, "/log", now);
  REQUIRE(event);
  CHECK(event->kind == EventKind::access_log_failed);
  CHECK(event->text ==
        "/log takes no lines (12 lost so far, see grayd_access_log_lost_lines_total): is its disk full?");
  for (std::uint64_t lost = 13; lost < 300; ++lost) CHECK_FALSE(watch.look(lost, "/log", now += Duration{1'000}));
  now += AccessLogWatch::kQuiet;
  CHECK_FALSE(watch.look(299, "/log", now));
  CHECK(watch.look(300, "/log", now));
}
