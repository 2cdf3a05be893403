#include "grayd/holdings.hpp"

#include <doctest/doctest.h>

#include "config/base/archive.hpp"
#include "tests/control/traffic/settings_support.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

struct HoldingsFixture {
  test::Folder folder;
  Settings settings = test::settings_of(test::web());

  HoldingsFixture() {
    settings.state_dir = folder.path / "state";
    settings.access_log = folder.path / "access.log";
    settings.admin = folder.path / "admin.sock";
    settings.listen = {folder.socket("web.sock"), *Address::parse("127.0.0.1:0")};
    settings.proxy_protocol = {*Address::parse("127.0.0.1:0")};
    settings.metrics = "127.0.0.1:0";
    settings.dashboard = "127.0.0.1:0";
  }
  bool exists(const char* name) const { return std::filesystem::exists(folder.path / name); }
};

}  // namespace

TEST_CASE_FIXTURE(HoldingsFixture, "all resources are acquired at once, passed to routers, and released at the end") {
  {
    Holdings holdings(settings, ActivatedSockets{});
    CHECK(holdings.state(settings).empty());
    CHECK((exists("admin.sock") && exists("web.sock") && exists("access.log")));
    CHECK(holdings.text().find("; with PROXY headers http://127.0.0.1:") != std::string::npos);
    const auto command = holdings.router_command();
    CHECK(command.listeners.size() == 3);
    CHECK(command.proxied == 1);
    CHECK(command.listeners.back() == holdings.proxied.fds()[0]);
    CHECK(command.segment == holdings.segment.fd());
    CHECK(command.access_log == holdings.access_log.get());
    CHECK_THROWS_WITH_AS(Holdings(settings, ActivatedSockets{}), doctest::Contains("in use by another grayd"),
                         std::runtime_error);
    CHECK(exists("admin.sock"));
  }
  CHECK_FALSE(exists("admin.sock"));
  CHECK_FALSE(exists("web.sock"));
}

TEST_CASE_FIXTURE(HoldingsFixture, "the next image has the same sockets, files and lock") {
  auto* const before = new Holdings(settings, ActivatedSockets{});  // never destroyed, as in an exec
  before->segment->versions[3].waiting.acquire(1, 10);
  const auto text = before->text();
  Save save;
  save("holdings", *before);
  const auto fds = save.fds();
  // Folder, lock, segment and its event, two and one and one and one sockets, access log, admin.
  CHECK(fds.size() == 11);
  const auto state = nlohmann::json::parse(save.take().dump());
  {
    Load load(state, fds);
    Holdings after(settings, kRestored);
    CHECK(after.state(settings).empty());
    load("holdings", after);
    CHECK(load.left().empty());
    CHECK(after.text() == text);
    CHECK(after.segment->versions[3].waiting.share(1) == 1);
    CHECK(after.router_command().listeners == before->router_command().listeners);
    CHECK(after.router_command().proxied == 1);
    CHECK_THROWS_WITH_AS(Holdings(settings, ActivatedSockets{}), doctest::Contains("in use by another grayd"),
                         std::runtime_error);
  }
  CHECK_FALSE(exists("admin.sock"));
  static Holdings* kept = nullptr;
  kept = before;  // its descriptors are closed already
  CHECK(kept != nullptr);
}

TEST_CASE_FIXTURE(HoldingsFixture, "deployed versions are added to the settings, and those of the file win") {
  control::State saved;
  for (const char* name : {"43", "v2"}) saved["web"].deployed[name].settings = test::version_named(name);
  saved["web"].deployed["v2"].settings.command = {"deployed"};
  control::StateStore(settings.state_dir).save(saved, {}, 0, [](const control::SaveOutcome&) {});
  Holdings holdings(settings, ActivatedSockets{});
  const auto state = holdings.state(settings);
  CHECK(state.at("web").deployed.size() == 1);
  CHECK(settings.services[0].version("v2")->command != std::vector<std::string>{"deployed"});
  REQUIRE(settings.services[0].version("43") != nullptr);
  CHECK(settings.services[0].version("43")->deployed);
}

TEST_CASE_FIXTURE(HoldingsFixture, "what does not apply to the settings is dropped from the state, and from its file") {
  const control::State saved{{"web", {.weights = {{"v2", 30}, {"v9", 7}}}}};
  control::StateStore(settings.state_dir).save(saved, {}, 0, [](const control::SaveOutcome&) {});
  {
    Holdings holdings(settings, ActivatedSockets{});
    CHECK(holdings.state(settings) == control::State{{"web", {.weights = {{"v2", 30}}}}});
  }
  std::string warning;
  CHECK(control::StateStore(settings.state_dir).load(warning).state ==
        control::State{{"web", {.weights = {{"v2", 30}}, .was_stable = "v1"}}});
}
