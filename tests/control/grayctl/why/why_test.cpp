#include "control/grayctl/why/why.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sstream>

#include "tests/control/explain/log_lines.hpp"
#include "tests/control/grayctl/served.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

struct WhyRunner : Served {
  std::string log = dir / "access.log";
  json seen, args;
  std::string err;
  WhyRunner() {
    daemon.answer = [this](const std::string& verb, const json& given) {
      seen = {verb, given};
      args = given;
      json body = {{"schema_version", 1}, {"access_log", log}};
      if (given.contains("path")) body = {{"text", "decided → v1"}, {"service", "web"}};
      return Reply{.code = ExitCode::ok, .body = body, .error = {}};
    };
  }
  Outcome run(const Command::Why& why) {
    Command command;
    command.verb = Verb::why;
    command.why = why;
    std::ostringstream warnings;
    Outcome outcome = run_why(client, command, {}, warnings);
    err = warnings.str();
    return outcome;
  }
};

TEST_CASE("a request of the log: its decision in words, and as JSON with the whole line") {
  WhyRunner runner;
  const json line = test::log_line("r7", "3", 20);
  write_file(runner.log, test::log_line("r6", "1", 20).dump() + "\n" + line.dump() + "\n");
  const Outcome outcome = runner.run({.words = {"r7"}});
  REQUIRE(outcome.answer.error == "");
  CHECK(runner.seen == json{"why", json::object()});
  CHECK(outcome.text ==
        "cookie uid → bucket 79.4 % ≥ 20 % → stable v1\n\n"
        "  request   GET example.com/a from 127.0.0.1 at 2026-11-30T02:21:19.855399Z\n"
        "  answer    200 by web@v1#0, 68 bytes in 3.6 ms\n"
        "  service   web, routing table 3\n"
        "  identity  cookie:uid\n"
        "  bucket    79.4 % ≥ 20 % of salt web/v2, hash cb3095bdf87a4469\n"
        "  replay    decided again from this line: the same\n");
  const json& body = outcome.answer.body;
  CHECK(body["schema_version"] == 1);
  CHECK(body["logged"] == line);
  CHECK(body["file"] == runner.log);
  CHECK(body["decision"] == "stable");
  CHECK(body["replay"]["result"] == "same");
  CHECK(body["request"]["id"] == "r7");
}

TEST_CASE("a line that contradicts itself, one of an older grayd, one without service, a damaged one") {
  WhyRunner runner;
  json wrong = test::log_line("wrong", "3", 20), older = test::log_line("older", "3", 20),
       refused = test::log_line("refused", "3", 20);
  wrong["version"] = "v2";
  older.erase("canary");
  refused.update({{"decision", ""}, {"service", ""}, {"status", 404}, {"reason", "no-route"}});
  write_file(runner.log,
             wrong.dump() + "\n" + older.dump() + "\n" + refused.dump() + "\n{\"request_id\":\"cut\",\"method\":\n");
  CHECK(contains(runner.run({.words = {"wrong"}}).text, "decided again from this line: version \"v2\""));
  CHECK(contains(runner.run({.words = {"older"}}).text, "cannot be decided again: older"));
  CHECK(runner.run({.words = {"refused"}}).text.starts_with("not routed → 404 no-route\n"));
  CHECK(contains(runner.run({.words = {"cut"}}).answer.error,
                 "the line of this request in " + runner.log + " is damaged"));
}

TEST_CASE("an unknown request: where was searched, and what to do") {
  WhyRunner runner;
  write_file(runner.log, test::log_line("r", "3", 20).dump() + "\n");
  const Outcome outcome = runner.run({.words = {"x"}});
  CHECK(outcome.answer.code == ExitCode::failed);
  CHECK(contains(outcome.answer.error, "no request x in " + runner.log + " and its predecessor ("));
  CHECK(contains(outcome.answer.error, "back to 2026-11-30T02:21:19.855399Z"));
  CHECK(contains(outcome.answer.error, "--log FILE"));
}

TEST_CASE("the rotated file, and a file that is named, without a running grayd") {
  WhyRunner runner;
  write_file(runner.log, "");
  write_file(runner.log + ".1", test::log_line("r", "3", 20).dump() + "\n");
  CHECK(runner.run({.words = {"r"}}).answer.body["file"] == runner.log + ".1");
  write_file(runner.dir / "older", test::log_line("old", "3", 20).dump() + "\n");
  CHECK(runner.run({.words = {"old"}}).answer.code == ExitCode::failed);
  Client nobody(runner.dir / "gone");
  Command command;
  command.why = {.words = {"old"}, .log = runner.dir / "older"};
  std::ostringstream err;
  CHECK(run_why(nobody, command, {}, err).answer.code == ExitCode::ok);
  command.why.log.clear();
  const Outcome outcome = run_why(nobody, command, {}, err);
  CHECK(outcome.answer.code == ExitCode::no_daemon);
  CHECK(contains(outcome.answer.error, "grayctl why REQUEST_ID --log FILE"));
}

TEST_CASE("the log is off, missing or not readable") {
  WhyRunner runner;
  CHECK(contains(runner.run({.words = {"r"}}).answer.error, "No such file or directory"));
  if (::geteuid() != 0) {
    write_file(runner.log, "");
    ::chmod(runner.log.c_str(), 0);
    CHECK(runner.run({.words = {"r"}}).answer.code == ExitCode::denied);
  }
  runner.log.clear();
  const Outcome outcome = runner.run({.words = {"r"}});
  CHECK(outcome.answer.code == ExitCode::failed);
  CHECK(contains(outcome.answer.error, "the access log is off"));
}

TEST_CASE("a curl command line, as words or as one text") {
  WhyRunner runner;
  const json expected = {
      {"method", "GET"}, {"host", "localhost:8000"}, {"path", "/x?y=1"}, {"headers", "Cookie: uid=77\n"}};
  Outcome outcome = runner.run({.words = {"curl", "-H", "Cookie: uid=77", "http://localhost:8000/x?y=1"}});
  CHECK(outcome.text == "decided → v1\n\n  service   web, routing table 0\n");
  CHECK(runner.args == expected);
  CHECK(runner.err.empty());
  runner.run({.words = {"/usr/bin/curl -H 'Cookie: uid=77' \\\n 'http://localhost:8000/x?y=1'"}});
  CHECK(runner.args == expected);
  runner.run({.words = {"curl -x proxy a"}, .client = "10.0.0.1"});
  CHECK(runner.err == "grayctl: warning: curl option --proxy is ignored; it may change the request or its sender\n");
  CHECK(runner.args["client"] == "10.0.0.1");
  runner.run({.words = {"curl --interface 10.0.0.2 a"}});
  CHECK(runner.args["client"] == "10.0.0.2");
  CHECK(runner.run({.words = {"curl"}}).answer.error == "the curl command line has no URL");
  CHECK(runner.run({.words = {"curl 'a"}}).answer.error == "a quote in the command line is not closed");
}

TEST_CASE("a described request") {
  WhyRunner runner;
  runner.run({.words = {"web"},
              .headers = {"Cookie: uid=77", "X-A: b"},
              .path = "/x",
              .host = "example.com",
              .method = "POST",
              .client = "10.0.0.1"});
  CHECK(runner.args == json{{"service", "web"},
                            {"path", "/x"},
                            {"host", "example.com"},
                            {"method", "POST"},
                            {"client", "10.0.0.1"},
                            {"headers", "Cookie: uid=77\nX-A: b\n"}});
  runner.run({.path = "/x"});
  CHECK(runner.args == json{{"path", "/x"}});
  runner.daemon.answer = [](auto&&...) { return refused(ExitCode::usage, "there is no service \"wbe\""); };
  CHECK(runner.run({.words = {"wbe"}, .path = "/"}).answer.code == ExitCode::usage);
}

TEST_CASE("words that do not fit together") {
  WhyRunner runner;
  const auto error = [&](const Command::Why& why) {
    const Outcome outcome = runner.run(why);
    CHECK(outcome.answer.code == ExitCode::usage);
    return outcome.answer.error;
  };
  CHECK(contains(error({}), "say which request"));
  CHECK(contains(error({.words = {"r1", "r2"}}), "\"r2\" is not a request"));
  CHECK(contains(error({.words = {"a", "b"}, .path = "/"}), "at most a SERVICE"));
  CHECK(contains(error({.words = {"r"}, .headers = {"A: b"}}), "need --path PATH"));
  CHECK(contains(error({.headers = {"no colon"}, .path = "/"}), "--header takes \"Name: value\""));
  CHECK(contains(error({.headers = {"A: b\r\nC: d"}, .path = "/"}), "--header takes"));
  CHECK(contains(error({.ids = "f"}), "--ids needs --replay FILE"));
  CHECK(contains(error({.words = {"r"}, .replay = "f"}), "--replay takes no request"));
  CHECK(runner.daemon.calls == 0);
}

TEST_CASE("a replay asks no grayd") {
  WhyRunner runner;
  write_file(runner.log, test::log_line("r", "3", 20).dump() + "\n");
  CHECK(runner.run({.replay = runner.log}).text.starts_with("1 of 1 lines decided again: 0 mismatches\n"));
  CHECK(runner.daemon.calls == 0);
}

}  // namespace
}  // namespace gray::control
