#include "grayd/init/findings.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::init;
using End = Observation::End;

namespace {

Observation healthy() {
  Observation seen;
  seen.end = End::healthy;
  seen.given = 4000;
  seen.ports = {{4000, false, false, 1}};
  seen.ready_by = "ipc";
  seen.ready_after = Duration{340};
  seen.status = 200;
  return seen;
}

std::string report(const Observation& seen, const Plan& plan = {}) { return report_of(seen, plan); }

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

}  // namespace

TEST_CASE("a healthy program has nothing to fix") {
  const std::string text = report(healthy());
  CHECK(has(text, "  ok    it listens on port 4000, which grayd gave it\n"));
  CHECK(has(text, "  ok    ready after 0.3 s, by ipc\n"));
  CHECK(has(text, "  ok    GET / was answered 200\n"));
  CHECK_FALSE(has(text, "fix"));
}

TEST_CASE("a port of its own choice has the remedy that fits the command") {
  Observation seen = healthy();
  seen.end = End::elsewhere;
  seen.status = 0;
  seen.ports = {{3000, false, false, 1}, {3000, false, true, 2}};
  CHECK(has(report(seen), "fix   it listens on port 3000, but grayd gave it 4000: let it listen on PORT"));
  Plan plan;
  plan.port = PortFrom::argument;
  CHECK(has(report(seen, plan), "the command in the file must pass"));
}

TEST_CASE("every interface is named") {
  Observation seen = healthy();
  seen.ports = {{4000, true, true, 1}};
  CHECK(has(report(seen), "fix   it listens on every interface (port 4000), but only grayd needs it"));
}

TEST_CASE("answers of the program and of grayd are told apart") {
  Observation seen = healthy();
  seen.status = 404;
  CHECK_FALSE(is_wrong(seen));
  CHECK(has(report(seen), "hint  GET / was answered 404"));
  seen.status = 500;
  CHECK(is_wrong(seen));
  seen.last_lines = {"boom"};
  CHECK(has(report(seen),
            "fix   GET / was answered 500: its output tells why\n        its last lines:\n        | boom\n"));
  seen.last_lines = {"Missing secret_key_base"};
  CHECK(has(report(seen), "fix   Rails has no secret for production"));
  seen.status = 502;
  seen.gray_reason = "upstream-invalid";
  CHECK(has(report(seen), "fix   GET / got no HTTP answer from it (502, upstream-invalid)"));
}

TEST_CASE("a program that fails has its cause once, and its last lines without control characters") {
  Observation seen;
  seen.end = End::failed;
  seen.cause = "service web, version v1, worker web@v1#0: died-before-ready (exit 3); its last lines: \"a\"";
  seen.last_lines = {"a\x1b[31m"};
  CHECK(report(seen) ==
        "  fix   it did not become healthy: died-before-ready (exit 3)\n"
        "        its last lines:\n"
        "        | a?[31m\n");
}

TEST_CASE("known mistakes have their remedy") {
  Observation seen;
  seen.end = End::failed;
  seen.cause = "service web, version v1, worker web@v1#0: died-before-ready (exit 127)";
  seen.last_lines = {"sh: 1: exec: gunicorn: not found"};
  CHECK(has(report(seen), "fix   127 is the shell's code for a program that is not there: install it"));
  seen.cause = "died-before-ready (exit 1)";
  seen.last_lines = {"Error: listen EADDRINUSE: address already in use :::3000"};
  CHECK(has(report(seen), "fix   another program has the port that it wants"));
  seen.last_lines = {"other"};
  CHECK(findings_of(seen, {}).size() == 1);
}

TEST_CASE("a program that never listens is told so") {
  Observation seen;
  seen.end = End::time_up;
  seen.took = Duration{20'000};
  seen.given = 4000;
  CHECK(has(report(seen), "it was not healthy within 20.0 s"));
  CHECK(has(report(seen), "it listens on no port after 20.0 s"));
}

TEST_CASE("a long line is wrapped behind its word") {
  Observation seen;
  seen.end = End::failed;
  for (int i = 0; i < 40; ++i) seen.cause += "cause ";
  const std::string text = report(seen);
  for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
    end = text.find('\n', at);
    CHECK(end - at <= 120);
  }
  CHECK(has(text, "\n        cause"));
}
