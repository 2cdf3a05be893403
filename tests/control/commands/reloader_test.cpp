#include "control/commands/reloader.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <optional>

#include "config/base/archive.hpp"
#include "control/traffic/deployed.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::control;

namespace {

struct ReloaderFixture : ReloadHost {
  test::Folder folder;
  std::string path = folder.path / "grayd.toml";
  std::string text = "[service.web]\nstable = \"v1\"\n[service.web.version.v1]\ncommand = [\"sleep\", \"1\"]\n";
  Settings settings;
  LiveState live{{}};
  std::string locked, busy, fault;
  std::vector<Changes> applied;
  std::vector<EventRecord> events;
  std::vector<std::string> announced;         // messages to the service manager
  std::function<Reply(const Reply&)> router;  // a new one is wanted: takes its result
  Duration router_timeout{0};
  std::optional<Reply> answer;  // of the last reload, when it has come
  std::optional<Reloader> reloader;

  ReloaderFixture() {
    write(text);
    ConfigFile file(path);
    settings = std::get<Settings>(file.read());
    reloader.emplace(*this, settings, live, std::move(file));
    reloader->started();
  }
  std::string not_now() const override { return locked; }
  std::string routers_busy() const override { return busy; }
  std::string preflight(const Settings&) const override { return fault; }
  std::vector<VersionView> views() const override { return {}; }
  unsigned renew_routers(const Settings&, Duration timeout, std::function<Reply(const Reply&)> then) override {
    router_timeout = timeout;
    router = std::move(then);
    return 5;
  }
  void apply(const Changes& changes, Settings fresh) override {
    applied.push_back(changes);
    settings = std::move(fresh);
  }
  void reload_begins() override { announced.emplace_back("begins"); }
  void reload_ends(bool good) override { announced.emplace_back(good ? "good" : "bad"); }
  void emit(EventRecord event) override { events.push_back(std::move(event)); }
  Reply reload(Reloader::Order order = {}) {
    answer.reset();
    reloader->reload(order, [this](const Reply& reply) { answer = reply; });
    return answer.value_or(Reply{});
  }
  void deploy(const std::string& name) {
    VersionSettings version;
    version.name = name;
    version.command = {"sleep", "9"};
    live.change("web", [&](ServiceState& web) { web.deployed[name] = {.settings = version}; });
    settings = with_deployed(settings, live.published());
  }
  void change_router() const { write("[router]\nmax_connections = 77\n" + text + "instances = 3\n"); }
  void write(const std::string& what) const {
    std::ofstream(path + ".new") << what;
    std::filesystem::rename(path + ".new", path);
  }
};

}  // namespace

TEST_CASE_FIXTURE(ReloaderFixture, "a good file is applied, counted and reported") {
  write(text + "instances = 3\n");
  CHECK(reloader->stale().find("first: grayctl reload") != std::string::npos);
  const auto reply = reload();
  CHECK(reply.code == ExitCode::ok);
  CHECK(reply.body["changes"].size() == 1);
  CHECK(applied.size() == 1);
  CHECK(settings.services[0].versions[0].instances == 3);
  CHECK(reloader->reloads().accepted == 1);
  CHECK(reloader->stale().empty());
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == EventKind::reloaded);
  CHECK(announced == std::vector<std::string>{"begins", "good"});
}

TEST_CASE_FIXTURE(ReloaderFixture, "the reply has the warnings of the file, also while a router is awaited") {
  CHECK(reload().body["warnings"] == "");
  const std::string canary = text + "[service.web.version.v2]\ncommand = [\"sleep\", \"1\"]\nweight = 0.05\n";
  write(canary);
  const auto reply = reload();
  CHECK(reply.code == ExitCode::ok);
  CHECK(reply.body["warnings"].get<std::string>().starts_with(path + ":7:10: warning: 0.05 % is 1 user in 2000; "));
  write("[router]\nmax_connections = 77\n" + canary);
  CHECK(reload({.wait = false}).body["warnings"].get<std::string>().starts_with(path + ":9:10: warning: "));
  router({});
}

TEST_CASE_FIXTURE(ReloaderFixture, "settings that cannot be used on this machine change nothing") {
  fault = "version v1: there is no such program";
  write(text + "instances = 3\n");
  CHECK(reload().code == ExitCode::bad_config);
  CHECK(applied.empty());
  CHECK(announced == std::vector<std::string>{"begins", "bad"});
}

TEST_CASE_FIXTURE(ReloaderFixture, "a bad file changes nothing, and the settings of the last good read are kept") {
  write("nonsense");
  CHECK(reload().code == ExitCode::bad_config);
  CHECK(applied.empty());
  CHECK(reloader->reloads().refused == 1);
  CHECK_FALSE(reloader->reloads().last_good);
  CHECK(events[0].kind == EventKind::reload_refused);
  CHECK(std::get<Settings>(reloader->file().as_read()) == settings);
}

TEST_CASE_FIXTURE(ReloaderFixture, "deployed versions are no difference between the file and what is in force") {
  deploy("43");
  CHECK(reloader->stale().empty());
  write("# touched\n" + text);
  CHECK(reloader->stale().empty());
  write(text + "instances = 3\n");
  CHECK_FALSE(reloader->stale().empty());
  CHECK(reload().body["changes"].size() == 1);
  REQUIRE(settings.services[0].versions.size() == 2);
  CHECK(settings.services[0].versions[1].name == "43");
  CHECK(reloader->stale().empty());
}

TEST_CASE_FIXTURE(ReloaderFixture, "a file with the name of a deployed version is refused") {
  deploy("43");
  write(text + "[service.web.version.43]\ncommand = ['sleep', '1']\n");
  const auto reply = reload();
  CHECK(reply.code == ExitCode::conflict);
  CHECK(reply.error ==
        "the file has versions that are deployed already: web 43; remove the deployed one first, with grayctl remove, "
        "or give the one in the file a different name");
  CHECK(applied.empty());
}

TEST_CASE_FIXTURE(ReloaderFixture, "a version that was deployed while a router was started stays") {
  change_router();
  reload();
  deploy("43");
  REQUIRE(router({}).code == ExitCode::ok);
  CHECK(settings.services[0].versions.size() == 2);
  CHECK(applied[0].size() == 2);
}

TEST_CASE_FIXTURE(ReloaderFixture, "a deployed stable version need not be in the file, but it must exist") {
  const std::string api = "[service.api]\npaths = ['/api']\nstable = '7'\n[service.api.release]\ncommand = ['sleep']\n";
  write(text + api);
  const auto reply = reload();
  CHECK(reply.code == ExitCode::bad_config);
  CHECK(reply.error.starts_with("service api has no stable version: \"7\" is neither in the file nor deployed"));
  deploy("43");
  live.change("web", [](ServiceState& web) { web.stable = "43"; });
  write("[service.web]\nstable = '43'\n[service.web.release]\ncommand = ['sleep']\n");
  CHECK(reload().code == ExitCode::ok);
  CHECK(settings.services[0].versions.size() == 1);
}

TEST_CASE_FIXTURE(ReloaderFixture, "new release settings change no running version") {
  deploy("43");
  write(text + "[service.web.release]\ncommand = ['tail']\n");
  const auto reply = reload();
  CHECK(
      reply.body["changes"] ==
      nlohmann::json::array({"service web: new settings of releases; they take effect at its next deploy or rollout"}));
  CHECK(settings.services[0].version("43")->command == std::vector<std::string>{"sleep", "9"});
}

TEST_CASE_FIXTURE(ReloaderFixture, "while changes are refused, the file is not read") {
  locked = "grayd is stopping";
  const auto reply = reload();
  CHECK(reply.code == ExitCode::conflict);
  CHECK(reply.error == "grayd is stopping");
}

TEST_CASE_FIXTURE(ReloaderFixture, "a change of router settings is refused until a router upgrade has ended") {
  busy = "an upgrade is under way";
  write("[router]\nmax_connections = 77\n" + text);
  CHECK(reload().error == "an upgrade is under way; reload when it has ended");
  write(text + "instances = 2\n");
  CHECK(reload().code == ExitCode::ok);
}

TEST_CASE_FIXTURE(ReloaderFixture, "changes that need a new router are applied when it serves") {
  change_router();
  reload({.timeout = Duration{700}});
  CHECK_FALSE(answer);
  CHECK(router_timeout == Duration{700});
  CHECK(applied.empty());
  CHECK(settings.router.max_connections == 10'000);
  CHECK_FALSE(reloader->stale().empty());
  CHECK(announced == std::vector<std::string>{"begins"});
  CHECK(router({}).code == ExitCode::ok);
  REQUIRE(answer);
  CHECK(answer->code == ExitCode::ok);
  CHECK(answer->body["changes"].size() == 2);
  CHECK(settings.router.max_connections == 77);
  CHECK(reloader->stale().empty());
  CHECK(reloader->reloads().accepted == 1);
  CHECK(announced == std::vector<std::string>{"begins", "good"});
}

TEST_CASE_FIXTURE(ReloaderFixture, "a new router that cannot serve changes nothing, and the next reload tries again") {
  change_router();
  reload();
  CHECK(router({ExitCode::failed, {}, "no room"}).code == ExitCode::failed);
  REQUIRE(answer);
  CHECK(answer->code == ExitCode::failed);
  CHECK(answer->error == "no room; the old configuration stays in force");
  CHECK(applied.empty());
  CHECK(settings.router.max_connections == 10'000);
  CHECK_FALSE(reloader->stale().empty());
  CHECK(reloader->reloads().refused == 1);
  REQUIRE(events.size() == 1);
  CHECK(events[0].kind == EventKind::reload_refused);
  CHECK(events[0].cause == "router");
  CHECK(announced == std::vector<std::string>{"begins", "bad"});
  reload();
  router({});
  CHECK(answer->code == ExitCode::ok);
}

TEST_CASE_FIXTURE(ReloaderFixture, "a reload that waits for its router refuses others, and ends with grayd") {
  change_router();
  reload();
  busy = "a reload with a new router is under way";
  std::optional<Reply> second;
  reloader->reload({}, [&](const Reply& reply) { second = reply; });
  CHECK(second->code == ExitCode::conflict);
  CHECK(second->error == "a reload with a new router is under way; reload when it has ended");
  CHECK(reloader->reloads().refused == 0);
  reloader->abandon("grayd is stopping");
  CHECK(answer->error == "grayd is stopping; the old configuration stays in force");
  CHECK(applied.empty());
}

TEST_CASE_FIXTURE(ReloaderFixture, "without waiting, the answer has the number of the replacement") {
  change_router();
  const auto reply = reload({.wait = false});
  REQUIRE(answer);
  CHECK(reply.body["upgrade"] == nlohmann::json{{"number", 5}, {"of", "reload"}});
  CHECK(reply.body["changes"].size() == 2);
  answer.reset();
  router({});
  CHECK_FALSE(answer);
  CHECK(applied.size() == 1);
}

TEST_CASE_FIXTURE(ReloaderFixture, "changes that became impossible while the router started are refused") {
  const std::string with_v2 = text + "[service.web.version.v2]\ncommand = [\"sleep\", \"1\"]\n";
  write(with_v2);
  REQUIRE(reload().code == ExitCode::ok);
  write("[router]\nmax_connections = 77\n" + text);
  reload();
  const auto ticket = live.want("web", {.weights = {{"v2", 5.0}}}, {});
  live.publish("web", ticket);
  CHECK(router({}).code == ExitCode::conflict);
  CHECK(answer->error.starts_with("version web v2 carries traffic"));
  CHECK(applied.size() == 1);
}

TEST_CASE_FIXTURE(ReloaderFixture, "its counts and the text of the file survive an exec") {
  write("nonsense");
  reload();
  Save save;
  save("file", reloader->file());
  save("reloader", *reloader);
  const auto state = nlohmann::json::parse(save.take().dump());
  Load load(state, std::set<int>());
  ConfigFile file(kRestored);
  load("file", file);
  CHECK(std::get<Settings>(file.as_read()) == settings);
  CHECK(file.changed(settings));
  Reloader next(*this, settings, live, std::move(file));
  load("reloader", next);
  CHECK(next.reloads().refused == 1);
  CHECK(next.reloads().last_good_at == reloader->reloads().last_good_at);
}
