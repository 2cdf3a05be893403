#include "control/grayctl/memory/memory.hpp"

#include <doctest/doctest.h>

#include <atomic>

#include "tests/control/grayctl/served.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

struct MemoryServed : Served {
  std::atomic<int> asked{0};
  bool fails = false;
  Command command;

  MemoryServed() {
    command.verb = Verb::memory;
    daemon.answer = [this](const std::string& verb, const json&) {
      CHECK(verb == "memory");
      if (fails) return refused(ExitCode::timeout, "router 7 did not answer within a second");
      return Reply{ExitCode::ok,
                   {{"rss_bytes", 1'000 * ++asked},
                    {"owners", json::array()},
                    {"largest", json::array()},
                    {"leaks", json::array()},
                    {"routers", json::array()}},
                   {}};
    };
  }
};

}  // namespace

TEST_CASE_FIXTURE(MemoryServed, "memory is asked once, or twice with the time between") {
  const auto one = run_memory(client, command, {});
  CHECK(one.answer.code == ExitCode::ok);
  CHECK(one.text.find("accounted 0B of 1000B") != std::string::npos);
  command.memory.seconds = 1;
  const auto begun = Clock::now();
  const auto two = run_memory(client, command, {});
  CHECK(Clock::now() - begun >= Duration{1'000});
  CHECK(asked == 3);
  CHECK(two.answer.body.at("rss_change_bytes") == 1'000);
}

TEST_CASE_FIXTURE(MemoryServed, "the memory of the workers is a different question") {
  daemon.answer = [](const std::string&, const json& args) {
    CHECK(args.at("of") == "workers");
    return Reply{ExitCode::ok, {{"versions", json::array()}}, {}};
  };
  command.memory.workers = true;
  CHECK(run_memory(client, command, {}).text == "WORKER  NOW  LOW  HIGH  SINCE  LAST HOUR\n");
}

TEST_CASE_FIXTURE(MemoryServed, "a router that does not answer is the end of it") {
  fails = true;
  const auto outcome = run_memory(client, command, {});
  CHECK(outcome.answer.code == ExitCode::timeout);
  CHECK(outcome.answer.error == "router 7 did not answer within a second");
}

}  // namespace gray::control
