#include "control/grayctl/top/top.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <optional>
#include <sstream>
#include <thread>

#include "tests/control/grayctl/served.hpp"
#include "tests/control/live/figures_of_top.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

/// A grayd with a live feed.
struct TopServed : Served {
  std::atomic<int> asked{0};
  Command command;
  std::ostringstream out, err;
  LiveFeed feed{daemon, false};
  std::optional<AdminServer> live;

  TopServed() {
    command.verb = Verb::top;
    command.socket = dir / "live";
    command.top.count = 3;
    command.top.interval = Duration{1};
    daemon.answer = [this](const std::string& verb, const json&) {
      if (verb != "status") return Reply{ExitCode::ok, {{"schema_version", 1}, {"last", 0}}, {}};
      return Reply{ExitCode::ok, status_answer({version_answer("v1", 100, 100 * ++asked)}), {}};
    };
    serve();
  }
  void serve() {
    socket = open_admin_socket(dir / "live");
    live.emplace(socket.get(), daemon, [] {}, &feed);
  }
  Answer run(bool as_json = false) { return run_top(command, as_json, out, err, {}); }
  UniqueFd socket;
};

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE_FIXTURE(TopServed, "without a terminal there are titles, then lines") {
  CHECK(run().code == ExitCode::ok);
  CHECK(lines_in(out.str()) == 4);
  CHECK(out.str().starts_with("TIME "));
  CHECK(asked >= 3);
  CHECK(err.str().empty());
}

TEST_CASE_FIXTURE(TopServed, "with -o json each look is an object in a line") {
  CHECK(run(true).code == ExitCode::ok);
  CHECK(lines_in(out.str()) == 3);
  CHECK(json::parse(out.str().substr(0, out.str().find('\n')))["versions"].size() == 1);
}

TEST_CASE_FIXTURE(TopServed, "an end of the stream is told once, and does not count as a look") {
  std::thread ending([this] {
    while (asked < 3) std::this_thread::yield();
    live.reset();
    feed.end();
  });
  std::ostringstream said;
  command.top.interval = Duration{700};
  std::thread watching([&] { CHECK(run_top(command, false, out, said, {}).code == ExitCode::ok); });
  ending.join();
  FakeDaemon again;
  again.answer = daemon.answer;
  LiveFeed second{again, false};
  ::unlink((dir / "live").c_str());
  const auto fresh = open_admin_socket(dir / "live");
  AdminServer next{fresh.get(), again, [] {}, &second};
  watching.join();
  CHECK(lines_in(said.str()) == 1);
  CHECK(said.str().ends_with("; asks again until it answers\n"));
}

TEST_CASE_FIXTURE(TopServed, "a failure at first, or an unknown service, ends it") {
  command.service = "wbe";
  const Answer unknown = run();
  CHECK(unknown.code == ExitCode::usage);
  CHECK(unknown.error.find("there is no service \"wbe\"") != std::string::npos);
  command.service.clear();
  feed.end();
  CHECK(run().error == "grayd is stopping; connect again");
  command.socket = path;  // a grayd without a live feed
  CHECK(run().error.find("is older than grayctl") != std::string::npos);
  command.socket = dir / "nothing";
  CHECK(run().code == ExitCode::no_daemon);
  CHECK(out.str().empty());
}

TEST_CASE_FIXTURE(TopServed, "it ends when nobody reads any more") {
  command.top.count = 0;
  out.setstate(std::ios::badbit);
  CHECK(run().code == ExitCode::ok);
}

}  // namespace gray::control
