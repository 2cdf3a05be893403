#include "config/settings/release_toml.hpp"

#include "config/settings/release.hpp"
#include "tests/config/settings/toml_text.hpp"

using namespace gray;
using namespace gray::test;

namespace {

std::string with_release(const std::string& lines) {
  return kSmallest + "[service.web.release]\ncommand = ['node', 'server.js']\n" + lines + "\n";
}
std::string with_rollout(const std::string& lines) { return kSmallest + "[service.web.rollout]\n" + lines + "\n"; }

}  // namespace

TEST_CASE("without a release there is none, and a rollout has its defaults") {
  const ServiceSettings service = loaded(kSmallest).services[0];
  CHECK(!service.release);
  CHECK(service.rollout == RolloutSettings{});
  CHECK(service.rollout.steps == std::vector<double>{1, 5, 25, 50, 100});
  CHECK(service.rollout.hold == Duration{120'000});
  CHECK(service.rollout.latency == Duration{500});
}

TEST_CASE("a release with a command alone gets every default") {
  const auto release = loaded(with_release("")).services[0].release;
  REQUIRE(release);
  VersionSettings form;
  form.command = {"node", "server.js"};
  form.cwd = "/etc/gray";
  CHECK(release->form == form);
  CHECK(release->keep == 2);
  CHECK(release->warm == Duration{900'000});
}

TEST_CASE("a release has the keys of a version, and its own") {
  const auto release = loaded(with_release(R"(keep = 0
warm = "0"
cwd = "releases/{version}"
instances = 2
env = { RELEASE = "{version}" }
health = { path = "/{version}", headers = { X-R = "{version}" } }
stop = { signal = "INT" })"))
                           .services[0]
                           .release;
  REQUIRE(release);
  CHECK(release->keep == 0);
  CHECK(release->warm == Duration{0});
  const VersionSettings version = instantiate(*release, "43");
  CHECK(version.cwd == "/etc/gray/releases/43");
  CHECK(version.instances == 2);
  CHECK(version.env.at("RELEASE") == "43");
  CHECK(version.health.path == "/43");
  CHECK(version.health.headers.at("X-R") == "43");
}

TEST_CASE("the probes of a release have the host of the service") {
  const auto settings = loaded(
      "[service.web]\nstable = 'v1'\nhosts = ['a.example']\n[service.web.release]\n"
      "command = ['node']\nhealth = { path = '/' }\n");
  CHECK(settings.services[0].release->form.health.host == "a.example");
}

TEST_CASE("a service with a release needs no version in the file") {
  CHECK(loaded("[service.web]\nstable = '43'\n[service.web.release]\ncommand = ['node']\n").services[0].stable == "43");
  CHECK(contains(refused("[service.web]\nstable = 'v1'\n").text,
                 "service \"web\" has no version: add [service.web.version.v1] with a command, or "
                 "[service.web.release] for versions that are deployed"));
  CHECK(contains(refused("[service.web]\n[service.web.release]\ncommand = ['node']\n").text,
                 "service \"web\" has no stable version: add stable = \"VERSION\", a deployed version"));
}

TEST_CASE("mistakes in a release have one error each, with its place and what to do") {
  const auto error = [](const std::string& lines) {
    const ConfigErrors errors = refused(with_release(lines));
    CHECK_MESSAGE(errors.count == 1, errors.text);
    return errors.text;
  };
  CHECK(contains(error("cwd = 'releases/{verson}'"),
                 ":7:7: error: \"{verson}\" is not replaced, did you mean {version}?: write {{verson}} for the text "
                 "{verson}"));
  CHECK(contains(error("env = { A = '{name}' }"), "\"{name}\" is not replaced; only {version} is: write {{name}} for"));
  CHECK(contains(error("health = { path = '/{vers}' }"), "{vers}"));
  CHECK(contains(error("health = { path = '/', host = '{vers}' }"), "{vers}"));
  CHECK(contains(error("health = { path = '/', headers = { X = '{vers}' } }"), "{vers}"));
  CHECK(contains(error("user = '{vers}'"), "{vers}"));
  CHECK(contains(error("weight = 5"),
                 "a deployed version begins without users: remove the weight, and after the deploy: "
                 "grayctl shift web VERSION PERCENT"));
  CHECK(contains(error("keep = 17"), "17 is out of range: keep must be 0 to 16"));
  CHECK(contains(error("warm = 15"), "a duration needs a unit, such as \"15s\""));
  CHECK(contains(error("instance = 2"), "unknown key \"instance\", did you mean \"instances\"?"));
  CHECK(contains(error("replicas = 2"), "unknown key \"replicas\": write instances = 2"));
}

TEST_CASE("the command of a release is checked") {
  const auto error = [](const std::string& text) {
    const ConfigErrors errors = refused(kSmallest + text);
    CHECK_MESSAGE(errors.count == 1, errors.text);
    return errors.text;
  };
  CHECK(contains(error("[service.web.release]\n"), "version \"{version}\" has no command: add command ="));
  CHECK(contains(error("[service.web.release]\ncommand = []\n"), "the command is empty: name the program to run"));
  CHECK(contains(error("[service.web.release]\ncommand = ['node', '{release}']\n"), ":6:20: error: \"{release}\" is"));
  CHECK(contains(refused(with_service("release = 1")).text, "expected a table, found an integer"));
  CHECK(refused(with_service("release = 1")).count == 1);
}

TEST_CASE("the longest name of a version must fit") {
  const std::string many = [] {
    std::string text;
    for (int i = 0; i < 70; ++i) text += "/{version}";
    return text;
  }();
  CHECK(contains(refused(with_release("cwd = '" + many + "'")).text,
                 "\"cwd\" has 4550 bytes with a version of 64 bytes"));
}

TEST_CASE("keep and warm of a version belong into the release") {
  CHECK(contains(refused(with_version("keep = 3") + "[service.web.release]\ncommand = ['node']\nwarm = '1s'\n").text,
                 "unknown key \"keep\": it belongs into [service.NAME.release]"));
}

TEST_CASE("a rollout is read") {
  const RolloutSettings rollout =
      loaded(with_rollout("steps = [0.5, 10, 100]\nhold = '30s'\nlatency = '1s'")).services[0].rollout;
  CHECK(rollout.steps == std::vector<double>{0.5, 10, 100});
  CHECK(rollout.hold == Duration{30'000});
  CHECK(rollout.latency == Duration{1'000});
}

TEST_CASE("mistakes in a rollout have one error each") {
  const auto error = [](const std::string& lines) {
    const ConfigErrors errors = refused(with_rollout(lines));
    CHECK_MESSAGE(errors.count == 1, errors.text);
    return errors.text;
  };
  CHECK(contains(error("steps = []"), "the list is empty: name a percentage"));
  CHECK(contains(error("steps = [0]"), "a step is a percentage above 0 and up to 100"));
  CHECK(contains(error("steps = [5, 101]"), "a step is a percentage above 0 and up to 100"));
  CHECK(contains(error("steps = [nan]"), "a step is a percentage above 0 and up to 100"));
  CHECK(contains(error("steps = [5, 5]"), "each step must be larger than the one before it"));
  CHECK(contains(error("steps = 5"), "expected a list of numbers, found an integer"));
  CHECK(contains(error("steps = ['5']"), "expected a number, found a string"));
  CHECK(contains(error("hold = '0'"), "is too short"));
  CHECK(contains(error("latency = 1"), "a duration needs a unit"));
  CHECK(contains(error("step = [1]"), "unknown key \"step\", did you mean \"steps\"?"));
  std::string many = "steps = [";
  for (int i = 1; i <= 33; ++i) many += std::to_string(i) + ",";
  CHECK(contains(error(many + "]"), "\"steps\" has 33 items: at most 32 are allowed"));
}
