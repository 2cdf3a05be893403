#include "config/settings/release.hpp"

#include <doctest/doctest.h>

using namespace gray;

namespace {

ReleaseSettings release() {
  ReleaseSettings release;
  release.form.command = {"/opt/{version}/bin/node", "--title={version}-{version}"};
  release.form.cwd = "/srv/releases/{version}";
  release.form.env = {{"RELEASE", "{version}"}, {"MODE", "live"}};
  release.form.user = "u{version}";
  release.form.health.path = "/{version}/up";
  release.form.health.host = "{version}.example.com";
  release.form.health.headers = {{"x-release", "r{version}"}};
  release.form.instances = 3;
  release.form.weight = 5;
  return release;
}

std::string written(const std::string& text) {
  ReleaseSettings release;
  release.form.command = {text};
  return instantiate(release, "43").command[0];
}

}  // namespace

TEST_CASE("the name of the version is put into every text") {
  const VersionSettings version = instantiate(release(), "43");
  CHECK(version.name == "43");
  CHECK(version.deployed);
  CHECK(version.weight == 0);
  CHECK(version.instances == 3);
  CHECK(version.command == std::vector<std::string>{"/opt/43/bin/node", "--title=43-43"});
  CHECK(version.cwd == "/srv/releases/43");
  CHECK(version.env == std::map<std::string, std::string>{{"RELEASE", "43"}, {"MODE", "live"}});
  CHECK(version.user == "u43");
  CHECK(version.health.path == "/43/up");
  CHECK(version.health.host == "43.example.com");
  CHECK(version.health.headers.at("x-release") == "r43");
}

TEST_CASE("variables of a deploy are laid over those of the release, and taken as they are") {
  const auto env = instantiate(release(), "43", {{"MODE", "{version}"}, {"NEW", "1"}}).env;
  CHECK(env == std::map<std::string, std::string>{{"RELEASE", "43"}, {"MODE", "{version}"}, {"NEW", "1"}});
}

TEST_CASE("only {version} is replaced") {
  CHECK(written("{version}") == "43");
  CHECK(written("a{version}b{version}") == "a43b43");
  CHECK(written("{{version}} {{word}}") == "{version} {word}");
  CHECK(written("${version} ${PORT}") == "${version} ${PORT}");
  CHECK(written("{ version } {a,b} {1} {} { {v") == "{ version } {a,b} {1} {} { {v");
  CHECK(written("{\"a\":{\"b\":1}}") == "{\"a\":{\"b\":1}}");
  CHECK(written("{{version}") == "{43");
  CHECK(written("").empty());
}

TEST_CASE("a placeholder without a meaning is found") {
  CHECK(unknown_placeholder("a/{verson}/{other}") == "verson");
  CHECK(unknown_placeholder("{Version}") == "Version");
  for (const char* good : {"", "{version}", "{{verson}}", "${PORT}", "{a,b}", "{ x }", "{\"k\":1}", "}{", "{a"})
    CHECK_MESSAGE(unknown_placeholder(good) == std::nullopt, good);
}
