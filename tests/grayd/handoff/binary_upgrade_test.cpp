#include "grayd/handoff/binary_upgrade.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>

#include "grayd/handoff/handoff.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct BinaryUpgradeFixture : BinaryUpgrade::Host {
  test::Folder folder;
  asio::io_context io;
  std::string path = folder.path / "next", why_stale, change;
  bool empty = true;
  int shut = 0, left = 0;
  std::optional<CheckEnd> failed;
  std::optional<BinaryUpgrade> replacement;

  BinaryUpgradeFixture() {
    std::ofstream(path) << "#!/bin/sh\n[ $1 = check-handoff ] && cat " << path << ".numbers\nexit 0\n";
    std::ofstream(path + ".numbers") << handoff_numbers();
    ::chmod(path.c_str(), 0755);
  }
  void begin(Duration timeout = Duration{20'000}) {
    const auto keep = [this](CheckEnd end) { failed = std::move(end); };
    replacement.emplace(io, *this, keep, path, "/etc/grayd.toml", timeout);
  }
  std::string stale() override { return why_stale; }
  std::string unsettled() const override { return change; }
  void close_endpoints() override { ++shut; }
  bool callers_gone() const override { return empty; }
  void leave() override { ++left; }
  template <typename Condition>
  bool until(Condition done) {
    const auto deadline = Clock::now() + Duration{30'000};
    io.restart();
    while (!done() && Clock::now() < deadline) io.run_one_for(Duration{20});
    return done();
  }
  void turns() { io.run_for(Duration{50}); }
};

}  // namespace

TEST_CASE_FIXTURE(BinaryUpgradeFixture, "an upgrade checks the program, settles, closes the endpoints and leaves") {
  change = "a shift";
  empty = false;
  begin();
  CHECK(replacement->text() == "checking the program " + path);
  REQUIRE(until([this] { return replacement->text() == "waiting for the end of a shift"; }));
  turns();
  CHECK(shut == 0);
  change.clear();
  replacement->changed();
  REQUIRE(until([this] { return shut == 1; }));
  CHECK(replacement->text() == "answering the last callers");
  change = "a late shift";  // of a caller that was still connected
  empty = true;
  replacement->changed();
  turns();
  CHECK(left == 0);
  change.clear();
  replacement->changed();
  REQUIRE(until([this] { return left == 1; }));
  CHECK(replacement->leaving());
  CHECK(replacement->text() == "handing over to " + path);
  CHECK(replacement->binary() >= 0);
  turns();
  CHECK((shut == 1 && left == 1));
  CHECK_FALSE(failed);
}

TEST_CASE_FIXTURE(BinaryUpgradeFixture, "callers that stay connected are disconnected after the grace period") {
  empty = false;
  begin();
  CHECK(until([this] { return left == 1; }));
}

TEST_CASE_FIXTURE(BinaryUpgradeFixture, "a program that is refused ends the upgrade, and nothing else has changed") {
  std::ofstream(path + ".numbers") << "{}";
  begin();
  REQUIRE(until([this] { return failed.has_value(); }));
  CHECK(failed->code == ExitCode::failed);
  CHECK(failed->text.ends_with("; nothing was changed, grayd continues as before"));
  CHECK((shut == 0 && left == 0));
}

TEST_CASE_FIXTURE(BinaryUpgradeFixture, "a configuration file that is not in force ends the upgrade") {
  why_stale = "reload first";
  begin();
  REQUIRE(until([this] { return failed.has_value(); }));
  CHECK(failed->text.find(": reload first; nothing was changed") != std::string::npos);
}

TEST_CASE_FIXTURE(BinaryUpgradeFixture, "a change that does not end in time ends the upgrade") {
  change = "a shift";
  begin(Duration{4'000});
  REQUIRE(until([this] { return failed.has_value(); }));
  CHECK(failed->code == ExitCode::timeout);
  CHECK(failed->text.starts_with("waiting for the end of a shift after 4s"));
  CHECK((shut == 0 && left == 0));
}
