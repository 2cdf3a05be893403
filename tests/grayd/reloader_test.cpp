#include "grayd/reloader.hpp"

#include <doctest/doctest.h>

#include <asio/io_context.hpp>
#include <fstream>
#include <optional>

#include "config/base/archive.hpp"
#include "tests/grayd/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct ReloaderFixture {
  test::Folder folder;
  std::string path = folder.path / "grayd.toml";
  std::string text = "[service.web]\nstable = \"v1\"\n[service.web.version.v1]\ncommand = [\"sleep\", \"1\"]\n";
  asio::io_context io;
  ServiceManager manager{io};
  Settings settings;
  std::string locked, renewing;
  std::vector<Changes> applied;
  std::vector<EventRecord> events;
  std::optional<Reloader> reloader;

  ReloaderFixture() {
    write(text);
    ConfigFile file(path);
    settings = std::get<Settings>(file.read());
    reloader.emplace(parts(), std::move(file));
    reloader->started();
  }
  Reloader::Parts parts() {
    return {settings,
            manager,
            [this] { return locked; },
            [this] { return renewing; },
            [] { return std::vector<LiveService>{}; },
            [](const std::string&, const std::string&) { return false; },
            [this](const Changes& changes, Settings fresh) {
              applied.push_back(changes);
              settings = std::move(fresh);
            },
            [this](EventRecord event) { events.push_back(std::move(event)); }};
  }
  void write(const std::string& what) const {
    std::ofstream(path + ".new") << what;
    std::filesystem::rename(path + ".new", path);
  }
};

}  // namespace

TEST_CASE_FIXTURE(ReloaderFixture, "a good file is applied, counted and told") {
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
}

TEST_CASE_FIXTURE(ReloaderFixture, "a bad file changes nothing, and what was read before is remembered") {
  write("nonsense");
  CHECK(reloader->reload().code == ExitCode::bad_config);
  CHECK(applied.empty());
  CHECK(reloader->reloads().refused == 1);
  CHECK_FALSE(reloader->reloads().last_good);
  CHECK(events[0].kind == EventKind::reload_refused);
  CHECK(std::get<Settings>(reloader->file().as_read()) == settings);
}

TEST_CASE_FIXTURE(ReloaderFixture, "while nothing can be changed nothing is read") {
  locked = "grayd is stopping";
  const auto reply = reloader->reload();
  CHECK(reply.code == ExitCode::conflict);
  CHECK(reply.error == "grayd is stopping");
}

TEST_CASE_FIXTURE(ReloaderFixture, "settings of routers wait for the end of a renewal") {
  renewing = "an upgrade is under way";
  write("[router]\nmax_connections = 77\n" + text);
  CHECK(reloader->reload().error == "an upgrade is under way; reload when it has ended");
  write(text + "instances = 2\n");
  CHECK(reloader->reload().code == ExitCode::ok);
}

TEST_CASE_FIXTURE(ReloaderFixture, "its counts go along, and the file as it was read") {
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
  Reloader next(parts(), std::move(file));
  load("reloader", next);
  CHECK(next.reloads().refused == 1);
  CHECK(next.reloads().last_good_at == reloader->reloads().last_good_at);
}
