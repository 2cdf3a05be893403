#include "control/grayctl/completion.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "control/api/admin_server.hpp"
#include "control/api/admin_socket.hpp"
#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

using Words = std::vector<std::string>;

bool offers(const Words& offered, const std::string& word) { return std::ranges::count(offered, word) == 1; }

}  // namespace

TEST_CASE("verbs are offered, also nested ones, but none without a function") {
  CHECK(complete({"sh"}) == Words{"shift"});
  CHECK(complete({"config", ""}) == Words{"check"});
  for (const char* verb : {"status", "restart", "completion", "config"}) CHECK(offers(complete({""}), verb));
  CHECK_FALSE(offers(complete({""}), "maintenance"));
  CHECK(complete({"-o", "json", "sh"}) == Words{"shift"});
  CHECK(complete({"--socket", "/s", "relo"}) == Words{"reload"});
  CHECK(complete({}).empty());
  CHECK(complete({"frobnicate", "x"}).empty());
}

TEST_CASE("options of the verb and of the levels above are offered, and their values") {
  for (const char* option : {"--yes", "--timeout", "--no-wait", "--socket", "--help"})
    CHECK(offers(complete({"stop", "--"}), option));
  CHECK_FALSE(offers(complete({"reload", "--"}), "--yes"));
  CHECK(complete({"stop", "web", "v1", "--y"}) == Words{"--yes"});
  CHECK(complete({"status", "-o", ""}) == Words{"table", "json"});
  CHECK(complete({"status", "--output", "j"}) == Words{"json"});
  CHECK(complete({"demo", "break", "v2", "--how", ""}) == Words{"errors", "slow", "crash"});
  CHECK(complete({"demo", "heal", ""}) == Words{"v1", "v2"});
  CHECK(complete({"stop", "--timeout", ""}).empty());
  CHECK(complete({"completion", ""}) == Words{"bash", "zsh", "fish"});
}

TEST_CASE("services and versions come from grayd, and nothing is offered if it does not run") {
  TempDir dir;
  const std::string path = dir / "s";
  CHECK(complete({"--socket", path, "stop", ""}).empty());
  UniqueFd listener = open_admin_socket(path);
  FakeDaemon daemon;
  daemon.answer = [](auto&&...) {
    const json web = {{"name", "web"}, {"versions", {{{"name", "v1"}}, {{"name", "v2"}}}}};
    const json api = {{"name", "api"}, {"versions", {{{"name", "a1"}}}}};
    return Reply{.code = ExitCode::ok, .body = {{"services", {web, api}}}, .error = {}};
  };
  AdminServer server(listener.get(), daemon);
  CHECK(complete({"--socket", path, "stop", ""}) == Words{"web", "api"});
  CHECK(complete({"--socket=" + path, "stop", "w"}) == Words{"web"});
  CHECK(complete({"--socket", path, "stop", "web", ""}) == Words{"v1", "v2"});
  CHECK(complete({"--socket", path, "stop", "--yes", "api", ""}) == Words{"a1"});
  CHECK(complete({"--socket", path, "stop", "none", ""}).empty());
  CHECK(complete({"--socket", path, "stop", "web", "v1", ""}).empty());
}

TEST_CASE("there is a script for each shell, which calls the hidden verb") {
  for (const char* name : {"bash", "zsh", "fish"}) CHECK(contains(completion_script(name), kCompleteVerb));
  CHECK(completion_script("tcsh").empty());
}
