#include "control/dashboard/log_searches.hpp"

#include <doctest/doctest.h>

#include "tests/control/explain/log_lines.hpp"
#include "tests/control/fixture.hpp"

namespace gray::control {
namespace {

struct SearchedFolder {
  TempDir dir;
  std::string file = dir / "access.log";
  LogSearches searches;
  LogAnswer find(const std::string& id) {
    return searches.find(file, id, [] { return false; });
  }
};

}  // namespace

TEST_CASE("a request of the log, also of the rotated file, and one that is not there") {
  SearchedFolder its;
  write_file(its.file, test::log_line("new", "3", 20).dump() + "\n");
  write_file(its.file + ".1", test::log_line("old", "3", 20).dump() + "\n");
  for (const char* id : {"new", "old"}) {
    const LogAnswer found = its.find(id);
    CHECK(found.reply.code == ExitCode::ok);
    CHECK(found.status == 0);
    CHECK(found.reply.body["request"]["id"] == id);
  }
  const LogAnswer absent = its.find("none");
  CHECK(absent.reply.code == ExitCode::failed);
  CHECK(absent.status == 404);
  CHECK(contains(absent.reply.error, "no request none in " + its.file + " and its predecessor"));
}

TEST_CASE("the search ends when nobody waits, and names the command that searches more") {
  SearchedFolder its;
  write_file(its.file, test::log_line("new", "3", 20).dump() + "\n");
  const LogAnswer answer = its.searches.find(its.file, "new", [] { return true; });
  CHECK(answer.status == 404);
  CHECK(contains(answer.reply.error, "then the search stops"));
  CHECK(contains(answer.reply.error, "to search more, on the host: grayctl why REQUEST_ID"));
}

TEST_CASE("few searches run at once") {
  SearchedFolder its;
  write_file(its.file, test::log_line("new", "3", 20).dump() + "\n");
  LogAnswer innermost;
  const auto inner = [&] {
    innermost = its.find("new");
    return false;
  };
  const auto outer = [&] {
    CHECK(its.searches.find(its.file, "new", inner).reply.code == ExitCode::ok);
    return false;
  };
  static_assert(LogSearches::kAtOnce == 2);
  CHECK(its.searches.find(its.file, "new", outer).reply.code == ExitCode::ok);
  CHECK(innermost.reply.code == ExitCode::conflict);
  CHECK(contains(innermost.reply.error, "try again"));
  CHECK(its.find("new").reply.code == ExitCode::ok);
}

TEST_CASE("no search without a log, or without an id") {
  SearchedFolder its;
  its.file.clear();
  CHECK(contains(its.find("a").reply.error, "the access log is off"));
  CHECK(its.find("").reply.code == ExitCode::usage);
}

}  // namespace gray::control
