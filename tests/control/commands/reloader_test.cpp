#include "control/commands/reloader.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <optional>

#include "config/base/archive.hpp"
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
  std::vector<std::string> announced;  // messages to the service manager
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
  void apply(const Changes& changes, Settings fresh) override {
    applied.push_back(changes);
    settings = std::move(fresh);
  }
  void reload_begins() override { announced.emplace_back("begins"); }
  void reload_ends(bool good) override { announced.emplace_back(good ? "good" : "bad"); }
  void emit(EventRecord event) override { events.push_back(std::move(event)); }
  void write(const std::string& what) const {
    std::ofstream(path + ".new") << what;
    std::filesystem::rename(path + ".new", path);
  }
};

}  // namespace

TEST_CASE_FIXTURE(ReloaderFixture, "a good file is applied, counted and reported") {
  write(text + "instances = 3\n");
  CHECK(reloader->stale().find("first: grayctl reload") != std::string::npos);
  const auto reply = reloader->reload();
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

TEST_CASE_FIXTURE(ReloaderFixture, "settings that cannot be used on this machine change nothing") {
  fault = "version v1: there is no such program";
  write(text + "instances = 3\n");
  CHECK(reloader->reload().code == ExitCode::bad_config);
  CHECK(applied.empty());
  CHECK(announced == std::vector<std::string>{"begins", "bad"});
}

TEST_CASE_FIXTURE(ReloaderFixture, "a bad file changes nothing, and the settings of the last good read are kept") {
  write("nonsense");
  CHECK(reloader->reload().code == ExitCode::bad_config);
  CHECK(applied.empty());
  CHECK(reloader->reloads().refused == 1);
  CHECK_FALSE(reloader->reloads().last_good);
  CHECK(events[0].kind == EventKind::reload_refused);
  CHECK(std::get<Settings>(reloader->file().as_read()) == settings);
}

TEST_CASE_FIXTURE(ReloaderFixture, "while changes are refused, the file is not read") {
  locked = "grayd is stopping";
  const auto reply = reloader->reload();
  CHECK(reply.code == ExitCode::conflict);
  CHECK(reply.error == "grayd is stopping");
}

TEST_CASE_FIXTURE(ReloaderFixture, "a change of router settings is refused until a router upgrade has ended") {
  busy = "an upgrade is under way";
  write("[router]\nmax_connections = 77\n" + text);
  CHECK(reloader->reload().error == "an upgrade is under way; reload when it has ended");
  write(text + "instances = 2\n");
  CHECK(reloader->reload().code == ExitCode::ok);
}

TEST_CASE_FIXTURE(ReloaderFixture, "its counts and the text of the file survive an exec") {
  write("nonsense");
  reloader->reload();
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
