#include "grayd/access_log.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

namespace fs = std::filesystem;
using gray::master::open_access_log;

TEST_CASE("the log is opened to append, with its folders, and once more after it was moved") {
  std::string name = (fs::temp_directory_path() / "grayd-log-XXXXXX").string();
  REQUIRE(::mkdtemp(name.data()) != nullptr);
  const auto path = fs::path(name) / "deep" / "access.log";
  const auto log = open_access_log(path);
  REQUIRE(log);
  CHECK((::fcntl(log.get(), F_GETFL) & O_APPEND) != 0);
  CHECK((::fcntl(log.get(), F_GETFD) & FD_CLOEXEC) != 0);
  fs::rename(path, fs::path(name) / "old");
  CHECK(open_access_log(path));
  CHECK(fs::exists(path));
  fs::remove_all(name);
}

TEST_CASE("no path, no log") { CHECK_FALSE(open_access_log("")); }

TEST_CASE("a log that cannot be opened is refused with the remedy") {
  CHECK_THROWS_WITH_AS(open_access_log("/proc/none/access.log"), doctest::Contains("correct access_log"),
                       std::runtime_error);
}
