#include "control/grayctl/command.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;

namespace {

CommandLine parse(std::vector<const char*> words) {
  words.insert(words.begin(), "grayctl");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

/// The message about a wrong command line.
std::string complaint(std::vector<const char*> words) {
  CommandLine line = parse(std::move(words));
  CHECK(line.code == ExitCode::usage);
  CHECK_FALSE(line.command.has_value());
  return line.text;
}

}  // namespace

TEST_CASE("each verb is parsed with its arguments") {
  CHECK(parse({"status"}).command->verb == Verb::status);
  CHECK(parse({"status"}).command->service.empty());
  CHECK(parse({"status", "web"}).command->service == "web");
  CommandLine shift = parse({"shift", "web", "v2", "12.5"});
  CHECK(shift.command->verb == Verb::shift);
  CHECK(shift.command->service == "web");
  CHECK(shift.command->version == "v2");
  CHECK(shift.command->percent == 12.5);
  CHECK(parse({"health"}).command->verb == Verb::health);
  CHECK(parse({"health", "web"}).command->service == "web");
  CHECK(parse({"reload"}).command->verb == Verb::reload);
  CHECK(parse({"metrics"}).command->verb == Verb::metrics);
  CHECK(parse({"config", "check", "a.toml"}).command->verb == Verb::config_check);
  CHECK(parse({"config", "check", "a.toml"}).command->file == "a.toml");
  CHECK(parse({"version"}).command->verb == Verb::version);
}

TEST_CASE("verbs about a version wait unless asked not to, status and health only if asked to") {
  for (auto [word, verb] :
       {std::pair{"start", Verb::start}, {"stop", Verb::stop}, {"restart", Verb::restart}, {"drain", Verb::drain}}) {
    const CommandLine line = parse({word, "web", "v1"});
    REQUIRE(line.command.has_value());
    CHECK(line.command->verb == verb);
    CHECK(line.command->service == "web");
    CHECK(line.command->version == "v1");
    CHECK(line.command->wait);
    CHECK(line.command->timeout == Command::kTimeout);
    CHECK(parse({word, "web", "v1", "--wait", "--timeout", "60s"}).command->timeout == Duration{60'000});
    CHECK_FALSE(parse({word, "--no-wait", "web", "v1"}).command->wait);
    CHECK(complaint({word, "web", "v1", "--wait", "--no-wait"}) == "--wait and --no-wait contradict each other");
    CHECK(complaint({word, "web", "v1", "--no-wait", "--timeout", "1s"}) ==
          "--timeout and --no-wait contradict each other");
  }
  for (const char* word : {"status", "health"}) {
    CHECK_FALSE(parse({word}).command->wait);
    CHECK(parse({word, "--wait", "--timeout=500ms"}).command->timeout == Duration{500});
    CHECK(complaint({word, "--timeout", "1s"}) == "--timeout needs --wait");
  }
  for (const char* timeout : {"60", "0", "-1s", "soon"})
    CHECK(complaint({"status", "--wait", (std::string("--timeout=") + timeout).c_str()}) ==
          std::string("--timeout takes a duration such as 60s or 5m, not \"") + timeout + "\"");
}

TEST_CASE("status is watched with -w, and then does not wait") {
  CHECK_FALSE(parse({"status"}).command->follow);
  CHECK(parse({"status", "-w", "web"}).command->follow);
  CHECK(parse({"status", "--watch"}).command->follow);
  CHECK(complaint({"status", "-w", "--wait"}) == "--watch and --wait contradict each other");
}

TEST_CASE("--yes is only for verbs that end a version") {
  CHECK(parse({"stop", "web", "v1", "--yes"}).command->yes);
  CHECK(parse({"drain", "-y", "web", "v1"}).command->yes);
  CHECK_FALSE(parse({"drain", "web", "v1"}).command->yes);
  CHECK(contains(complaint({"restart", "web", "v1", "--yes"}), "unknown option \"--yes\""));
}

TEST_CASE("completion accepts only known shells") {
  CHECK(parse({"completion", "zsh"}).command->shell == "zsh");
  CHECK(complaint({"completion", "tcsh"}) == "SHELL must be bash, zsh or fish, not \"tcsh\"");
}

TEST_CASE("the tree of words has verbs, options and arguments") {
  const VerbWords words = known_words();
  CHECK(words.name == "grayctl");
  CHECK(std::ranges::count(words.valued, "-o") == 1);
  const auto stop = std::ranges::find(words.verbs, "stop", &VerbWords::name);
  REQUIRE(stop != words.verbs.end());
  CHECK(stop->arguments == std::vector<std::string>{"SERVICE", "VERSION"});
  CHECK(std::ranges::count(stop->options, "-y") == 1);
  CHECK(stop->valued == std::vector<std::string>{"--timeout"});
  CHECK(std::ranges::count(words.verbs, "maintenance", &VerbWords::name) == 0);
}

TEST_CASE("options may stand before and after the verb") {
  for (auto words : {std::vector<const char*>{"-o", "json", "--socket", "/s", "status", "web"},
                     std::vector<const char*>{"status", "web", "--socket=/s", "--output=json"},
                     std::vector<const char*>{"status", "-o", "json", "web", "--socket", "/s"}}) {
    CommandLine line = parse(words);
    REQUIRE(line.command.has_value());
    CHECK(line.json);
    CHECK(line.command->socket == "/s");
    CHECK(line.command->service == "web");
  }
  CHECK(parse({"config", "check", "a.toml", "-o", "json"}).json);
  CHECK_FALSE(parse({"status", "-o", "table"}).json);
}

TEST_CASE("a wrong percent names the range") {
  for (const char* percent : {"120", "half", "-5", "-.5"})
    CHECK(complaint({"shift", "web", "v2", percent}) ==
          std::string("PERCENT must be a number from 0 to 100, such as 12.5 or 12.5%, not \"") + percent + "\"");
}

TEST_CASE("mistyped words are answered with the nearest") {
  CHECK(contains(complaint({"shfit", "web", "v2", "5"}), "unknown verb \"shfit\", did you mean \"shift\"?"));
  CHECK(contains(complaint({"--socket", "/s", "staus"}), "did you mean \"status\"?"));
  CHECK(contains(complaint({"config", "chek", "f"}), "did you mean \"check\"?"));
  CHECK(contains(complaint({"roolout", "start"}), "did you mean \"rollout\"?"));
  CHECK(contains(complaint({"status", "--socet", "x"}), "unknown option \"--socet\", did you mean \"--socket\"?"));
  CHECK(contains(complaint({"--outptu=json", "status"}), "did you mean \"--output\"?"));
  CHECK(contains(complaint({"--jsn", "status"}), "unknown option \"--jsn\"; see grayctl --help"));
  CHECK(complaint({"frobnicate"}) == "unknown verb \"frobnicate\"; see grayctl --help");
}

TEST_CASE("a curl command line behind why is not one of grayctl") {
  using Words = std::vector<std::string>;
  const auto why = [](std::vector<const char*> words) {
    CommandLine line = parse(std::move(words));
    REQUIRE(line.command.has_value());
    CHECK(line.command->verb == Verb::why);
    return line.command->why.words;
  };
  CHECK(why({"why", "--", "curl", "-H", "a: b", "-o", "json", "x"}) == Words{"curl", "-H", "a: b", "-o", "json", "x"});
  CHECK(why({"why", "curl", "-sSL", "--", "x"}) == Words{"curl", "-sSL", "--", "x"});
  CHECK(why({"-o", "json", "--socket", "s", "why", "--client", "::1", "curl", "status"}) == Words{"curl", "status"});
  CHECK(why({"why", "curl -H x y"}) == Words{"curl -H x y"});
  CHECK(why({"why", "r1"}) == Words{"r1"});
  CHECK(why({"why", "--", "-id"}) == Words{"-id"});
  CHECK(why({"why"}) == Words{});
  const auto shift = parse({"shift", "why", "curl", "5"});
  REQUIRE(shift.command.has_value());
  CHECK(shift.command->version == "curl");
  CHECK(parse({"-o", "json", "why", "--moon", "--", "curl", "x"}).json);
}

TEST_CASE("why and bucket are parsed with their options") {
  const auto why = parse({"why", "--path", "/x", "--header", "A: b", "--header", "C: d", "--host", "h", "--method",
                          "PUT", "--client", "::1", "web"});
  REQUIRE(why.command.has_value());
  CHECK(why.command->why.path == "/x");
  CHECK(why.command->why.headers == std::vector<std::string>{"A: b", "C: d"});
  CHECK(why.command->why.host == "h");
  CHECK(why.command->why.method == "PUT");
  CHECK(why.command->why.client == "::1");
  CHECK(why.command->why.words == std::vector<std::string>{"web"});
  CHECK(parse({"why", "--replay", "-", "--ids", "f"}).command->why.replay == "-");
  const auto bucket = parse({"bucket", "web", "1", "2", "--weight", "12.5%", "--version", "v2", "--list"});
  REQUIRE(bucket.command.has_value());
  CHECK(bucket.command->bucket.ids == std::vector<std::string>{"1", "2"});
  CHECK(bucket.command->bucket.weight == 12.5);
  CHECK(bucket.command->bucket.list);
  CHECK(bucket.command->version == "v2");
  CHECK_FALSE(parse({"bucket", "web", "--file", "-"}).command->bucket.weight);
  CHECK(complaint({"bucket", "web", "1", "--weight", "120"}) == "--weight takes a number from 0 to 100, not \"120\"");
  CHECK(complaint({"bucket"}) == "grayctl bucket needs SERVICE; see grayctl bucket --help");
}

TEST_CASE("missing and unexpected arguments are reported") {
  CHECK(complaint({}) == "no verb; try \"grayctl status\", or see grayctl --help");
  CHECK(complaint({"shift", "web"}) == "grayctl shift needs SERVICE VERSION PERCENT; see grayctl shift --help");
  CHECK(complaint({"config"}) == "grayctl config needs a verb; see grayctl config --help");
  CHECK(complaint({"config", "check"}) == "grayctl config check needs FILE; see grayctl config check --help");
  CHECK(complaint({"reload", "now"}) == "unexpected argument \"now\"; see grayctl reload --help");
  CHECK(complaint({"status", "web", "api"}) == "unexpected argument \"api\"; see grayctl status --help");
  CHECK(contains(complaint({"status", "--socket"}), "--socket"));
}

TEST_CASE("an output format that does not exist") {
  CHECK(complaint({"status", "-o", "yaml"}) == "-o takes table or json, not \"yaml\"");
}

TEST_CASE("-o json counts even if the rest is wrong") {
  CHECK(parse({"-o", "json", "shfit"}).json);
  CHECK(parse({"status", "--jsn", "-o", "json"}).json);
  CHECK_FALSE(parse({"shfit"}).json);
}

TEST_CASE("a verb of the contract without a function is not reported as a typing mistake") {
  CHECK(complaint({"hold", "web", "--max", "30s"}) == "hold is not supported yet");
  CHECK(complaint({"plan", "-f"}) == "plan is not supported yet");
  CHECK(parse({"drill", "-o", "json"}).json);
}

TEST_CASE("top takes a service, a number of looks and the time between them") {
  const auto asked = parse({"top", "web", "--count", "5", "--interval", "10s"}).command.value();
  CHECK(asked.verb == Verb::top);
  CHECK(asked.service == "web");
  CHECK(asked.top.count == 5);
  CHECK(asked.top.interval == Duration{10'000});
  CHECK_FALSE(parse({"top"}).command.value().top.interval);
  CHECK(parse({"top", "-n", "1"}).command.value().top.count == 1);
  for (const char* wrong : {"0", "x", "-1", "1000001", ""})
    CHECK(complaint({"top", "--count", wrong}) ==
          "--count takes a whole number from 1 to 1000000, not \"" + std::string(wrong) + "\"");
  for (const char* wrong : {"99ms", "2h", "5", ""})
    CHECK(complaint({"top", "--interval", wrong}) ==
          "--interval takes a duration from 100ms to 1h, not \"" + std::string(wrong) + "\"");
}

TEST_CASE("help has examples for every verb and is not an error") {
  for (auto words : {std::vector<const char*>{"--help"},
                     {"status", "--help"},
                     {"shift", "-h"},
                     {"health", "--help"},
                     {"reload", "--help"},
                     {"metrics", "--help"},
                     {"top", "--help"},
                     {"stop", "--help"},
                     {"completion", "--help"},
                     {"config", "--help"},
                     {"config", "check", "--help"},
                     {"version", "--help"}}) {
    CommandLine line = parse(words);
    CHECK(line.code == ExitCode::ok);
    CHECK_FALSE(line.command.has_value());
    CAPTURE(line.text);
    CHECK(contains(line.text, "Examples:\n  grayctl"));
  }
  CHECK(contains(parse({"--help"}).text, "Exit codes: 0 ok"));
  CHECK_FALSE(contains(parse({"--help"}).text, "maintenance"));
}

TEST_CASE("--version names program and version") {
  CommandLine line = parse({"--version"});
  CHECK(line.code == ExitCode::ok);
  CHECK(contains(line.text, "grayctl 0."));
}

TEST_CASE("memory takes a whole number of seconds") {
  CHECK(parse({"memory"}).command->memory.seconds == 0);
  CHECK(parse({"memory", "--diff", "10"}).command->memory.seconds == 10);
  CHECK(parse({"memory", "--diff=3600"}).command->memory.seconds == 3'600);
  for (const char* wrong : {"0", "-1", "x", "1h", "3601", "1.5", " 1", "99999999999"}) {
    CAPTURE(wrong);
    const std::string option = std::string("--diff=") + wrong;
    const auto line = parse({"memory", option.c_str()});
    CHECK(line.code == ExitCode::usage);
    CHECK(line.text == "--diff takes a whole number of seconds from 1 to 3600, not \"" + std::string(wrong) + "\"");
  }
  CHECK(parse({"memory", "--diff="}).code == ExitCode::usage);
  CHECK(parse({"memory", "--workers"}).command->memory.workers);
  CHECK(complaint({"memory", "--workers", "--diff", "2"}).find("--diff and --workers contradict") == 0);
  CHECK(complaint({"memory", "web"}).find("unexpected argument \"web\"") == 0);
  CHECK(complaint({"memory", "--dif", "1"}).find("did you mean \"--diff\"") != std::string::npos);
  CHECK(complaint({"memroy"}).find("did you mean \"memory\"") != std::string::npos);
}

TEST_CASE("history takes a service and a version, or the id of one change") {
  const Command all = *parse({"history"}).command;
  CHECK(all.verb == Verb::history);
  CHECK(all.count == 50);
  CHECK_FALSE(all.since);
  const Command some = *parse({"history", "web", "v2", "--limit", "7", "-v", "--state-dir", "/s"}).command;
  CHECK(some.service == "web");
  CHECK(some.version == "v2");
  CHECK(some.count == 7);
  CHECK(some.verbose);
  CHECK(some.state_dir == "/s");
  CHECK(parse({"history", "web", "--version", "v2", "-f"}).command->version == "v2");
  const Command one = *parse({"history", "42"}).command;
  CHECK(one.entry == 42);
  CHECK(one.service.empty());
  CHECK(parse({"history", "42x"}).command->service == "42x");
}

TEST_CASE("history begins at a time, or so long ago") {
  const auto since = [](const char* text) { return parse({"history", "--since", text}).command->since; };
  CHECK(rfc3339(*since("2026-11-30")) == "2026-11-30T00:00:00.000Z");
  CHECK(rfc3339(*since("2026-11-30T12:34Z")) == "2026-11-30T12:34:00.000Z");
  CHECK(rfc3339(*since("2026-11-30T12:34:56")) == "2026-11-30T12:34:56.000Z");
  CHECK(rfc3339(*since("2026-11-30T12:34:56.789Z")) == "2026-11-30T12:34:56.789Z");
  const auto two_hours_ago = *since("2h");  // first: the operands of a difference are evaluated in any order
  const auto ago = wall_now() - two_hours_ago;
  CHECK(ago >= std::chrono::hours(2));
  CHECK(ago < std::chrono::hours(3));
}

TEST_CASE("wrong options of history are refused with what is right") {
  const auto error = [](std::vector<const char*> words) {
    words.insert(words.begin(), "history");
    const auto line = parse(words);
    CHECK(line.code == ExitCode::usage);
    return line.text;
  };
  CHECK(error({"--limit", "0"}) == "--limit takes a whole number from 1 to 1000, not \"0\"");
  CHECK(error({"--limit", "1001"}) == "--limit takes a whole number from 1 to 1000, not \"1001\"");
  CHECK(error({"--since", "yesterday"}).starts_with("--since takes a duration such as 2h, or a time such as"));
  CHECK(error({"-f", "--state-dir", "/s"}) == "--follow and --state-dir contradict each other");
  CHECK(error({"-f", "42"}) == "--follow cannot be used with one change");
}

TEST_CASE("events and logs take a number, a service, a version, and -f") {
  Command events = *parse({"events"}).command;
  CHECK(events.verb == Verb::events);
  CHECK(events.count == 100);
  CHECK_FALSE(events.follow);
  Command logs = *parse({"logs", "-f", "-n", "0", "web", "v2", "--worker", "web@v2#0"}).command;
  CHECK(logs.verb == Verb::logs);
  CHECK(logs.follow);
  CHECK(logs.count == 0);
  CHECK(logs.service == "web");
  CHECK(logs.version == "v2");
  CHECK(logs.worker == "web@v2#0");
  for (const char* wrong : {"1001", "many", "1.5", "1x"})
    CHECK(complaint({"events", "-n", wrong}) ==
          std::string("-n takes a whole number from 0 to 1000, not \"") + wrong + "\"");
}

TEST_CASE("an upgrade is of grayd or of its router; only the first accepts a program") {
  const Command itself = *parse({"upgrade"}).command;
  CHECK(itself.verb == Verb::upgrade);
  CHECK(itself.part == "grayd");
  CHECK(itself.wait);
  CHECK(itself.binary.empty());
  CHECK(parse({"upgrade", "--binary", "/opt/grayd"}).command->binary == "/opt/grayd");
  CHECK(parse({"upgrade", "router", "--timeout", "5s"}).command->part == "router");
  CHECK_FALSE(parse({"upgrade", "--no-wait"}).command->wait);
  CHECK(complaint({"upgrade", "router", "--binary", "/opt/grayd"}) ==
        "--binary cannot be used with grayctl upgrade router");
}

TEST_CASE("the verbs of a release are parsed with their arguments") {
  const auto deploy =
      parse({"deploy", "web", "43", "--env", "A=1", "--env", "B=x=y", "--env", "C=", "--timeout", "5s"});
  REQUIRE(deploy.command);
  CHECK(deploy.command->verb == Verb::deploy);
  CHECK(deploy.command->version == "43");
  CHECK(deploy.command->env == std::map<std::string, std::string>{{"A", "1"}, {"B", "x=y"}, {"C", ""}});
  CHECK(deploy.command->timeout == Duration{5'000});
  CHECK_FALSE(parse({"deploy", "web", "43", "--no-wait"}).command->wait);
  CHECK(parse({"promote", "web", "43", "--yes"}).command->yes);
  CHECK(parse({"undo", "web", "--to", "42"}).command->to == "42");
  CHECK(parse({"undo", "web"}).command->to.empty());
  CHECK(parse({"remove", "web", "43"}).command->verb == Verb::remove);
  CHECK(complaint({"deploy", "web", "43", "--env", "A"}) == "--env takes NAME=VALUE, not \"A\"");
  CHECK(complaint({"deploy", "web", "43", "--env", "=1"}) == "--env takes NAME=VALUE, not \"=1\"");
  CHECK(complaint({"deploy", "web", "43", "--env", "A=1", "--env", "A=2"}) == "--env A is given twice");
  CHECK(complaint({"deploy", "web"}) == "grayctl deploy needs SERVICE VERSION; see grayctl deploy --help");
  CHECK(complaint({"undo"}) == "grayctl undo needs SERVICE; see grayctl undo --help");
}

TEST_CASE("a version of a demo is broken in one of three ways") {
  const auto broken = parse({"demo", "break", "v2"});
  REQUIRE(broken.command);
  CHECK(broken.command->verb == Verb::demo_break);
  CHECK(broken.command->version == "v2");
  CHECK(broken.command->how == "errors");
  CHECK(parse({"demo", "break", "v2", "--how", "crash"}).command->how == "crash");
  CHECK(parse({"demo", "heal", "v2", "--socket", "/s"}).command->verb == Verb::demo_heal);
  CHECK(complaint({"demo", "break", "v2", "--how", "loud"}) == "--how takes errors, slow or crash, not \"loud\"");
  CHECK(complaint({"demo", "break"}) == "grayctl demo break needs VERSION; see grayctl demo break --help");
  CHECK(complaint({"demo"}) == "grayctl demo needs a verb; see grayctl demo --help");
}
