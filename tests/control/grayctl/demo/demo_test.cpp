#include "control/grayctl/demo/demo.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "config/base/demo_place.hpp"
#include "tests/control/fixture.hpp"
#include "tests/control/grayctl/served.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

json demo_status(double weight, const std::string& stable = "v1", const json& undo_to = nullptr) {
  return {{"services",
           {{{"name", "web"},
             {"stable", stable},
             {"undo_to", undo_to},
             {"versions", {{{"name", "v1"}, {"weight", 100 - weight}}, {{"name", "v2"}, {"weight", weight}}}}}}}};
}

struct DemoServed : Served {
  TempDir folder;
  Command command;

  DemoServed() {
    command.socket = path;
    command.verb = Verb::demo_break;
    command.version = "v2";
    daemon.answer = [this](const std::string&, const json&) {
      json body = demo_status(25);
      body["config_file"] = folder / "grayd.toml";
      return Reply{ExitCode::ok, std::move(body), {}};
    };
  }
  std::string file() const { return folder / demo::break_file("v2"); }
};

}  // namespace

TEST_CASE_FIXTURE(DemoServed, "a version is broken by a file beside the configuration, and healed without it") {
  write_file(folder / demo::kMarker, "");
  auto done = run_demo(command);
  CHECK(done.answer.code == ExitCode::ok);
  CHECK(read_file(file()) == "errors");
  CHECK(done.answer.body["broken"] == "errors");
  CHECK(contains(done.text, "v2 answers every request with 500\n"));
  CHECK(contains(done.text, "grayctl rollout status web --watch"));
  command.how = "crash";
  CHECK(run_demo(command).answer.code == ExitCode::ok);
  CHECK(read_file(file()) == "crash");
  command.verb = Verb::demo_heal;
  done = run_demo(command);
  CHECK(done.text == "v2 works again\n");
  CHECK(done.answer.body["broken"] == nullptr);
  CHECK_FALSE(std::filesystem::exists(file()));
  CHECK(run_demo(command).text == "v2 was not broken\n");
}

TEST_CASE_FIXTURE(DemoServed, "a grayd that is not a demo is not touched") {
  const auto refused = run_demo(command);
  CHECK(refused.answer.code == ExitCode::conflict);
  CHECK(contains(refused.answer.error, "is not a demo, it serves " + (folder / "grayd.toml")));
  CHECK(contains(refused.answer.error, "start a demo in another terminal: grayd demo"));
  CHECK_FALSE(std::filesystem::exists(file()));
}

TEST_CASE_FIXTURE(DemoServed, "an unknown version and a missing demo are named") {
  write_file(folder / demo::kMarker, "");
  command.version = "v3";
  auto wrong = run_demo(command);
  CHECK(wrong.answer.code == ExitCode::usage);
  CHECK(wrong.answer.error == "there is no version \"v3\" in this demo (known: v1, v2)");
  command.socket = folder / "none.sock";
  wrong = run_demo(command);
  CHECK(wrong.answer.code == ExitCode::no_daemon);
  CHECK(contains(wrong.answer.error, "none.sock; start one in another terminal: grayd demo"));
}

TEST_CASE_FIXTURE(DemoServed, "a folder that cannot be written is an error") {
  write_file(folder / demo::kMarker, "");
  std::filesystem::create_directory(file());
  const auto error = run_demo(command);
  CHECK(error.answer.code == ExitCode::failed);
  CHECK(contains(error.answer.error, "broken-v2 cannot be changed: Is a directory"));
  CHECK_FALSE(std::filesystem::exists(file() + "." + std::to_string(::getpid())));
}

TEST_CASE("the text says what follows, by what the version is now") {
  Command command;
  command.verb = Verb::demo_break;
  command.version = "v2";
  CHECK(
      contains(demo_text(command, demo_status(0), false), "no users now; to give it some: grayctl rollout retry web"));
  CHECK(contains(demo_text(command, demo_status(100, "v2", "v1"), false),
                 "stable version: nothing takes its users away"));
  CHECK(contains(demo_text(command, demo_status(100, "v2", "v1"), false), "grayctl undo web"));
  command.version = "v1";
  CHECK(contains(demo_text(command, demo_status(0), false), "end this with: grayctl demo heal v1"));
  command = {};
  command.verb = Verb::demo_heal;
  command.version = "v2";
  CHECK(contains(demo_text(command, demo_status(0), true), "users again: grayctl rollout retry web"));
}

}  // namespace gray::control
