#include "grayd/command_host.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "control/traffic/serving.hpp"
#include "control/traffic/weights.hpp"
#include "tests/control/traffic/settings_support.hpp"
#include "tests/grayd/fake_owners.hpp"
#include "tests/supervisor/fake_host.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

Settings settings_in(const test::Folder& folder) {
  auto settings = test::settings_of(test::web());
  for (auto& version : settings.services[0].versions) {
    version.command = {"sh", "-c", "printf READY=1 >&$GRAY_READY_FD; exec sleep 60"};
    version.cwd = "/";
    version.ready.ways = {ReadyWay::pipe};
  }
  settings.state_dir = folder.path / "state";
  settings.admin = folder.path / "admin.sock";
  settings.listen = {};
  return settings;
}

/// A master's parts, without routers.
struct CommandHostFixture : Publication::Listener, BinaryUpgrade::Host {
  test::KeptEvents kept;
  test::Folder folder;
  asio::io_context io;
  Settings settings = settings_in(folder);
  control::Phase phase = control::Phase::serving;
  Holdings holdings{settings, ActivatedSockets{}};
  control::LiveState live{{}};
  control::Rows rows{holdings.segment};
  test::QuietRoutersOwner owner;
  Routers routers{io, holdings.segment, holdings.router_command(), RouterSettings{}, 0, owner, kept};
  supervisor::FakeHost workers_host{io};
  supervisor::Supervisor supervisor{io, workers_host, "command_host_test"};
  History history{io, settings, supervisor};
  Certificates certificates{io, settings, history, [](const TlsSecrets&) {}};
  control::Publisher publisher{settings, live, rows, routers, 7};
  Publication publication{{io, settings, supervisor, rows, publisher, *this}};
  Upgrades upgrades{{io, settings, phase, routers, kept, *this}};
  ServiceManager manager{io};
  std::string untrusted_proxy;
  MinuteSampler minutes{{io, settings, holdings.segment, rows}};
  MemorySampler memory{{io, holdings.segment, rows, supervisor}};
  CommandHost host{{io,       settings,      phase,   live,         rows,
                    holdings, supervisor,    routers, publication,  upgrades,
                    reloader, manager,       history, certificates, untrusted_proxy,
                    verbs,    release_clock, minutes, memory,       rollouts}};
  control::Rollouts rollouts{host, settings, live};
  control::Verbs verbs{host, settings, live, rollouts};
  ReleaseClock release_clock{io, verbs.releases(), [] {}};
  control::Reloader reloader{host, settings, live, ConfigFile(folder.path / "grayd.toml")};

  CommandHostFixture() {
    workers_host.supervisor = &supervisor;
    for (const auto& version : settings.services[0].versions) rows.take("web", version.name);
  }
  void published(const std::vector<VersionView>&) override {}
  std::string stale() override { return {}; }
  std::string unsettled() const override { return {}; }
  void close_endpoints() override {}
  bool callers_gone() const override { return true; }
  void leave() override {}
  template <typename Condition>
  bool until(Condition done) {
    const auto deadline = Clock::now() + Duration{20'000};
    while (!done() && Clock::now() < deadline) {
      io.restart();
      io.run_one_for(Duration{50});
    }
    return done();
  }
  VersionState state_of(const std::string& version) {
    for (const auto& view : supervisor.view())
      if (view.version == version) return view.state;
    return VersionState::stopped;
  }
};

}  // namespace

TEST_CASE_FIXTURE(CommandHostFixture, "deployed versions come into force with a row, are started, and are forgotten") {
  auto version = settings.services[0].versions[0];
  version.name = "43";
  version.deployed = true;
  CHECK(host.objection_to_start("web", version).empty());
  live.change("web", [&](control::ServiceState& web) { web.deployed["43"] = {version, {}, false}; });
  host.deployed_changed();
  REQUIRE(settings.services[0].version("43") != nullptr);
  CHECK(rows.find("web", "43"));
  host.carry_out({control::Action::start, "web", "43"});
  REQUIRE(until([&] { return state_of("43") == VersionState::starting; }));
  live.change("web", [&](control::ServiceState& web) { web.deployed.clear(); });
  host.deployed_changed();
  host.forget("web", "43");
  CHECK(settings.services[0].version("43") == nullptr);
  REQUIRE(until([&] { return control::view_of(supervisor.view(), "web", "43") == nullptr; }));
}

TEST_CASE_FIXTURE(CommandHostFixture, "a version that cannot be started on this host is named with its path") {
  auto version = settings.services[0].versions[0];
  version.name = "43";
  version.cwd = "/no/such/43";
  CHECK(host.objection_to_start("web", version) ==
        "web@43: cwd /no/such/43 is not a folder; create it or correct `cwd`");
  version.cwd = "/";
  version.command = {"./server"};
  CHECK(host.objection_to_start("web", version) == "web@43: command /server does not exist");
}

TEST_CASE_FIXTURE(CommandHostFixture, "a save is on the disk before its callback runs") {
  live.set_stopped("web", "v3", true);
  std::optional<std::string> error;
  host.persist({"pid 1, uid 0", "stop web v3"}, [&](const control::SaveEnd& end) { error = end.error; });
  CHECK_FALSE(error);
  REQUIRE(until([&] { return error.has_value(); }));
  CHECK(error->empty());
  std::string warning;
  CHECK(holdings.store.load(warning).state.at("web").stopped.contains("v3"));
}

TEST_CASE_FIXTURE(CommandHostFixture, "the callbacks of publish and settle run when no router lags") {
  int calls = 0;
  host.publish([&](const std::string& laggards) { calls += laggards.empty(); });
  host.settle([&](const std::string& laggards) { calls += laggards.empty(); });
  CHECK(publication.newest().number == 1);
  CHECK(until([&] { return calls == 2; }));
}

TEST_CASE_FIXTURE(CommandHostFixture, "every command is carried out") {
  using control::Action;
  CHECK(host.carry_out({Action::restart, "web", "v3"}) == 0);  // nothing to replace
  for (const auto ending : {Action::drain, Action::stop}) {
    CHECK(host.carry_out({Action::start, "web", "v3"}) == 0);
    REQUIRE(until([&] { return state_of("v3") == VersionState::starting; }));
    CHECK(host.carry_out({ending, "web", "v3"}) == 0);
    REQUIRE(until([&] { return state_of("v3") == VersionState::stopped; }));
  }
}

TEST_CASE_FIXTURE(CommandHostFixture, "a report shows the current state, and publishes pending changes first") {
  publication.soon();
  const auto report = host.report();
  CHECK(report.table == 1);
  CHECK(report.phase == control::Phase::serving);
  CHECK(report.pid == ::getpid());
  CHECK(report.uptime_s >= 0);
  CHECK(report.resident_bytes(::getpid()) > 0);
}

TEST_CASE_FIXTURE(CommandHostFixture, "a report has the last minute of each version") {
  minutes.start(Clock::now() - Duration{10'000});
  auto& row = segment::writable_row(*holdings.segment, 0, 0, *rows.find("web", "v2"));
  row.requests = 4;
  row.errors = 1;
  const auto report = host.report();
  CHECK(report.last_minute("web", "v2").error_ratio == 0.25);
  CHECK(report.last_minute("web", "v1").requests_per_second == 0);
}

TEST_CASE_FIXTURE(CommandHostFixture, "while grayd stops nothing can be changed") {
  CHECK(host.not_now().empty());
  CHECK_FALSE(host.stopping());
  phase = control::Phase::stopping;
  CHECK(host.stopping());
  CHECK(host.not_now() == "grayd is stopping; nothing can be changed");
}

TEST_CASE_FIXTURE(CommandHostFixture,
                  "fresh settings are in force at once, and a version that an operator stopped is not started") {
  live.set_stopped("web", "v2", true);
  auto fresh = settings;
  fresh.services[0].versions[1].instances = 2;
  fresh.services[0].versions[2].instances = 2;
  fresh.services[0].versions.push_back(fresh.services[0].versions[2]);
  fresh.services[0].versions[3].name = "v4";
  host.apply({{Change::Kind::resize_version, "web", "v2"},
              {Change::Kind::resize_version, "web", "v3"},
              {Change::Kind::add_version, "web", "v4"}},
             fresh);
  CHECK(settings == fresh);
  CHECK(rows.find("web", "v4"));
  CHECK(publication.newest().number == 1);
  CHECK(supervisor.view().size() == 2);
  CHECK(state_of("v2") == VersionState::stopped);
  fresh.services[0].versions.pop_back();
  host.apply({{Change::Kind::remove_version, "web", "v4"}}, fresh);
  CHECK(until([&] { return supervisor.view().size() == 1; }));
}

TEST_CASE_FIXTURE(CommandHostFixture, "a missing program is reported before a reload") {
  auto fresh = settings;
  CHECK(host.preflight(fresh).empty());
  fresh.services[0].versions[0].command = {"/no/such/program"};
  CHECK(host.preflight(fresh).find("/no/such/program") != std::string::npos);
}
