#include "grayd/upgrades.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include "config/base/archive.hpp"
#include "grayd/handoff/handoff.hpp"
#include "tests/control/traffic/settings_support.hpp"
#include "tests/grayd/fake_owners.hpp"
#include "tests/grayd/routers/fake_router.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;
using control::UpgradeState;
using control::UpgradeView;
using nlohmann::json;

namespace {

constexpr Duration kLong{20'000};
const json kRouter = {{"of", "router"}};

struct UpgradesFixture : test::QuietRoutersOwner, BinaryUpgrade::Host {
  asio::io_context io;
  segment::Segment segment = segment::Segment::create();
  Settings settings = test::settings_of(test::web());
  test::KeptEvents kept, of_routers;
  control::Phase phase = control::Phase::serving;
  int left = 0;
  std::optional<Routers> routers;
  std::optional<Upgrades> upgrades;

  UpgradesFixture() {
    ::setenv("GRAY_FAKE_ROUTER", "good", 1);
    RouterCommand command;
    command.segment = segment.fd();
    command.freed = segment.freed();
    routers.emplace(io, segment, command, RouterSettings{}, 0, *this, of_routers);
    upgrades.emplace(Upgrades::Dependencies{io, settings, phase, *routers, kept, *this});
  }
  std::string stale() override { return {}; }
  std::string unsettled() const override { return {}; }
  void close_endpoints() override {}
  bool callers_gone() const override { return true; }
  void leave() override { ++left; }
  void start() {
    RoutingTable table;
    table.number = 1;
    routers->publish(table, {});
    routers->start();
    REQUIRE(until([this] { return routers->any_ready(); }));
  }
  template <typename Condition>
  bool until(Condition done) {
    const auto deadline = Clock::now() + kLong;
    while (!done() && Clock::now() < deadline) {
      io.restart();
      io.run_one_for(Duration{50});
    }
    return done();
  }
  UpgradeView ended() {
    REQUIRE(until([this] { return upgrades->views().back().state != UpgradeState::running; }));
    return upgrades->views().back();
  }
};

}  // namespace

TEST_CASE_FIXTURE(UpgradesFixture, "an upgrade has a number, is shown while it runs, and ends with an event") {
  start();
  CHECK(upgrades->views().empty());
  const auto reply = upgrades->begin(kRouter);
  CHECK(reply.code == ExitCode::ok);
  CHECK(reply.body["upgrade"] == json({{"number", 1}, {"of", "router"}}));
  CHECK(upgrades->views().back().state == UpgradeState::running);
  CHECK(upgrades->views().back().text.find(" starts") != std::string::npos);
  CHECK(upgrades->under_way().starts_with("upgrade 1 of the router is under way (router "));
  const auto view = ended();
  CHECK(view.state == UpgradeState::done);
  CHECK(view.code == ExitCode::ok);
  CHECK(view.pid == routers->view().back().pid);
  REQUIRE(kept.events.size() == 1);
  CHECK(kept.events[0].kind == EventKind::upgraded);
  CHECK(kept.events[0].cause == "router");
  CHECK(upgrades->under_way().empty());
  CHECK(upgrades->begin(kRouter).body["upgrade"]["number"] == 2);
  CHECK(upgrades->views().front().number == 1);
  CHECK(upgrades->views().front().state == UpgradeState::done);
}

TEST_CASE_FIXTURE(UpgradesFixture, "a second upgrade is refused while the first is under way") {
  start();
  REQUIRE(upgrades->begin(kRouter).code == ExitCode::ok);
  const auto second = upgrades->begin(kRouter);
  CHECK(second.code == ExitCode::conflict);
  CHECK(second.error.starts_with("upgrade 1 of the router is under way"));
  CHECK(second.error.find("requested by grayd;") != std::string::npos);
  CHECK(ended().number == 1);
}

TEST_CASE_FIXTURE(UpgradesFixture, "an upgrade is refused if no router serves") {
  CHECK(upgrades->begin(kRouter).code == ExitCode::conflict);
}

TEST_CASE_FIXTURE(UpgradesFixture, "invalid arguments are usage errors") {
  start();
  for (const auto& args :
       {json::object(), json{{"of", "kitchen"}}, json{{"of", 1}}, json{{"of", "router"}, {"upgrade_timeout_ms", 0}},
        json{{"of", "router"}, {"upgrade_timeout_ms", "1"}},
        json{{"of", "router"}, {"upgrade_timeout_ms", 4'000'000}}}) {
    CAPTURE(args.dump());
    CHECK(upgrades->begin(args).code == ExitCode::usage);
  }
  CHECK(upgrades->views().empty());
}

TEST_CASE_FIXTURE(UpgradesFixture, "a failure has an exit code, a text and an event") {
  start();
  ::setenv("GRAY_FAKE_ROUTER", "exits", 1);
  REQUIRE(upgrades->begin(kRouter).code == ExitCode::ok);
  auto view = ended();
  CHECK(view.state == UpgradeState::failed);
  CHECK(view.code == ExitCode::failed);
  CHECK(view.text.find("exit 4") != std::string::npos);
  REQUIRE(kept.events.size() == 1);
  CHECK(kept.events[0].kind == EventKind::upgrade_failed);
  ::setenv("GRAY_FAKE_ROUTER", "mute", 1);
  REQUIRE(upgrades->begin({{"of", "router"}, {"upgrade_timeout_ms", 50}}).code == ExitCode::ok);
  CHECK(ended().code == ExitCode::timeout);
}

TEST_CASE_FIXTURE(UpgradesFixture, "the settings in force are tried until a router has them") {
  start();
  const auto old = routers->view().front().pid;
  ::setenv("GRAY_FAKE_ROUTER", "exits", 1);
  upgrades->upgrade_for_settings();
  CHECK(upgrades->under_way().starts_with("a new router for the settings in force is under way"));
  REQUIRE(until([this] { return upgrades->under_way().empty(); }));
  CHECK(routers->view().front().pid == old);
  ::setenv("GRAY_FAKE_ROUTER", "good", 1);
  CHECK(until([&] { return routers->view().size() == 1 && routers->view().front().pid != old; }));
  CHECK(upgrades->views().empty());
  CHECK(kept.events.empty());
}

TEST_CASE_FIXTURE(UpgradesFixture, "a new router of a reload has a record with the outcome of the reload") {
  start();
  const auto old = routers->view().front().pid;
  std::optional<control::Reply> router;
  const auto renew = [&](control::Reply outcome) {
    return upgrades->renew_for_reload(settings, kLong, [&, outcome = std::move(outcome)](const control::Reply& reply) {
      router = reply;
      return reply.code == ExitCode::ok ? outcome : reply;
    });
  };
  ::setenv("GRAY_FAKE_ROUTER", "exits", 1);
  CHECK(renew({}) == 1);
  CHECK(upgrades->under_way().starts_with("a reload with a new router is under way"));
  CHECK(ended().state == UpgradeState::failed);
  CHECK(router->code == ExitCode::failed);
  CHECK(router->error.find("exit 4") != std::string::npos);
  CHECK(upgrades->under_way().empty());
  CHECK(routers->view().front().pid == old);
  ::setenv("GRAY_FAKE_ROUTER", "good", 1);
  CHECK(renew({}) == 2);
  CHECK(ended().text.starts_with("configuration reloaded; router "));
  CHECK(router->code == ExitCode::ok);
  CHECK(kept.events.empty());
}

TEST_CASE_FIXTURE(UpgradesFixture, "if the reload is refused after all, a router with the settings in force follows") {
  start();
  upgrades->renew_for_reload(settings, kLong,
                             [](const control::Reply&) { return control::refusal(ExitCode::conflict, "too late"); });
  const auto record = ended();
  CHECK(record.text == "too late");
  const auto fresh = record.pid;
  CHECK(upgrades->under_way().starts_with("a new router for the settings in force is under way"));
  CHECK(until([&] { return routers->view().size() == 1 && routers->view().front().pid != fresh; }));
  CHECK(upgrades->under_way().empty());
}

namespace {

/// With a grayd that can be replaced.
struct Replacing : UpgradesFixture {
  test::Folder folder;
  std::string path = folder.path / "next";

  Replacing() {
    std::ofstream(path) << "#!/bin/sh\n[ $1 = check-handoff ] && cat " << path << ".numbers\nexit 0\n";
    std::ofstream(path + ".numbers") << handoff_numbers();
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    start();
  }
  json args() const { return {{"of", "grayd"}, {"binary", path}}; }
};

}  // namespace

TEST_CASE_FIXTURE(Replacing, "an upgrade of grayd refuses others meanwhile, and the next image reports its end") {
  CHECK(upgrades->locks().empty());
  CHECK(upgrades->begin(args()).body["upgrade"] == json({{"number", 1}, {"of", "grayd"}}));
  CHECK(upgrades->views().back().text == "checking the program " + path);
  CHECK(upgrades->locks().starts_with("upgrade 1 of grayd is under way (checking the program "));
  CHECK(upgrades->begin(kRouter).code == ExitCode::conflict);
  CHECK(upgrades->begin(args()).code == ExitCode::conflict);
  REQUIRE(until([this] { return left == 1; }));
  CHECK(upgrades->binary_upgrade()->leaving());
  Save save;
  save("upgrades", *upgrades);
  const auto state = nlohmann::json::parse(save.take().dump());
  Load load(state, std::set<int>());
  Upgrades next({io, settings, phase, *routers, kept, *this});
  load("upgrades", next);
  CHECK(next.views().back().state == UpgradeState::running);
  CHECK(next.locks().empty());
  next.replaced({});
  CHECK(next.views().back().state == UpgradeState::done);
  CHECK(next.views().back().pid == ::getpid());
  CHECK(next.views().back().text.find("(" + path + ") serves with the same pid ") != std::string::npos);
  REQUIRE(kept.events.size() == 1);
  CHECK(kept.events[0].kind == EventKind::upgraded);
  CHECK(kept.events[0].cause == "grayd");
  CHECK(next.begin(kRouter).body["upgrade"]["number"] == 2);
}

TEST_CASE_FIXTURE(Replacing, "a new image that returns to the old one is a failure, with its reason") {
  REQUIRE(upgrades->begin(args()).code == ExitCode::ok);
  REQUIRE(until([this] { return left == 1; }));
  upgrades->returned("no good");
  CHECK(upgrades->views().back().code == ExitCode::failed);
  CHECK(upgrades->views().back().text == "loading the state with " + path + ": no good; grayd continues as before");
  CHECK(upgrades->locks().empty());
}

TEST_CASE_FIXTURE(Replacing, "a program that is refused ends only the upgrade") {
  std::ofstream(path + ".numbers") << "{}";
  REQUIRE(upgrades->begin(args()).code == ExitCode::ok);
  const auto view = ended();
  CHECK(view.code == ExitCode::failed);
  CHECK(view.text.ends_with("grayd continues as before"));
  CHECK(upgrades->binary_upgrade() == nullptr);
  CHECK(upgrades->begin(kRouter).code == ExitCode::ok);
}

TEST_CASE_FIXTURE(Replacing, "only root and grayd's user may name a program, by an absolute path") {
  auto other = args();
  other["peer"] = {{"pid", 1}, {"uid", ::geteuid() + 1}};
  CHECK(upgrades->begin(other).code == ExitCode::denied);
  other["peer"] = {{"page", "127.0.0.1"}, {"pid", 1}};
  CHECK(upgrades->begin(other).code == ExitCode::denied);
  other["peer"]["uid"] = ::geteuid();
  other["binary"] = "grayd";
  CHECK(upgrades->begin(other).code == ExitCode::usage);
  other["binary"] = 7;
  CHECK(upgrades->begin(other).code == ExitCode::usage);
  phase = control::Phase::starting;
  CHECK(upgrades->begin(args()).error == "grayd is starting; wait until it serves");
  CHECK(upgrades->views().empty());
}
