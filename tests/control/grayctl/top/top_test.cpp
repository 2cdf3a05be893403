#include "control/grayctl/top/top.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <sstream>

#include "tests/control/grayctl/served.hpp"
#include "tests/control/grayctl/top/figures_of_top.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

struct TopServed : Served {
  std::atomic<int> asked{0};
  int fails_at = 0;
  Command command;
  std::ostringstream out, err;

  TopServed() {
    command.verb = Verb::top;
    command.socket = path;
    command.top.count = 3;
    command.top.interval = Duration{1};
    daemon.answer = [this](const std::string& verb, const json&) {
      CHECK(verb == "status");
      if (++asked == fails_at) return refused(ExitCode::timeout, "grayd is busy");
      return Reply{ExitCode::ok, status_answer({version_answer("v1", 100, 100 * asked)}), {}};
    };
  }
  Answer run(bool as_json = false) { return run_top(command, as_json, out, err, {}); }
};

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE_FIXTURE(TopServed, "without a terminal there are titles, then lines, and only the status is asked for") {
  CHECK(run().code == ExitCode::ok);
  CHECK(lines_in(out.str()) == 4);
  CHECK(out.str().starts_with("TIME "));
  CHECK(asked == 3);
  CHECK(err.str().empty());
}

TEST_CASE_FIXTURE(TopServed, "with -o json each look is an object in a line") {
  CHECK(run(true).code == ExitCode::ok);
  CHECK(lines_in(out.str()) == 3);
  CHECK(json::parse(out.str().substr(0, out.str().find('\n')))["versions"].size() == 1);
}

TEST_CASE_FIXTURE(TopServed, "a failure later is told once, and does not count as a look") {
  fails_at = 2;
  CHECK(run().code == ExitCode::ok);
  CHECK(asked == 4);
  CHECK(err.str() == "grayctl: grayd is busy; asks again until it answers\n");
}

TEST_CASE_FIXTURE(TopServed, "a failure at first, or an unknown service, ends it") {
  fails_at = 1;
  CHECK(run().code == ExitCode::timeout);
  command.service = "wbe";
  const Answer unknown = run();
  CHECK(unknown.code == ExitCode::usage);
  CHECK(unknown.error.find("there is no service \"wbe\"") != std::string::npos);
  CHECK(out.str().empty());
  command.socket = dir / "nothing";
  CHECK(run().code == ExitCode::no_daemon);
}

TEST_CASE_FIXTURE(TopServed, "it ends when nobody reads any more") {
  command.top.count = 0;
  out.setstate(std::ios::badbit);
  CHECK(run().code == ExitCode::ok);
}

}  // namespace gray::control
