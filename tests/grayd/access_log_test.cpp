#include "grayd/access_log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <filesystem>
#include <stdexcept>

#include "tests/grayd/temp_folder.hpp"

namespace fs = std::filesystem;
using gray::master::open_access_log;

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
