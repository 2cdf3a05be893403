#include "control/api/live_sampler.hpp"

#include <doctest/doctest.h>

#include <map>
#include <vector>

#include "tests/control/fixture.hpp"
#include "tests/control/live/figures_of_top.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

struct SamplerFixture {
  FakeDaemon daemon;
  asio::io_context io;
  std::map<std::string, int> asked;
  std::vector<json> made;
  std::optional<LiveSampler> sampler;

  SamplerFixture() {
    daemon.answer = [this](const std::string& verb, const json& args) {
      ++asked[verb];
      if (verb == "status") return Reply{ExitCode::ok, status_answer({version_answer("v1", 100)}), {}};
      if (verb == "rollout-status") return refused(ExitCode::conflict, "no rollout of " + args.value("service", ""));
      json body = {{"events", json::array()}, {"lines", json::array()}, {"last", 0}};
      return Reply{ExitCode::ok, std::move(body), {}};
    };
    sampler.emplace(io, daemon, false, [this](const std::string& text) { made.push_back(json::parse(text)); });
  }
  void run_until(std::size_t pictures) {
    io.restart();  // it stops when it has nothing to do
    const auto until = Clock::now() + Duration{20'000};
    while (made.size() < pictures && Clock::now() < until) io.run_one_for(Duration{100});
    REQUIRE(made.size() == pictures);
  }
};

}  // namespace

TEST_CASE_FIXTURE(SamplerFixture, "nothing is asked until a picture is wanted, then at once and each half second") {
  io.poll();
  CHECK(asked.empty());
  const auto begin = Clock::now();
  sampler->start();
  sampler->start();
  run_until(1);
  CHECK(Clock::now() - begin < LiveSampler::kInterval);
  CHECK(asked["status"] == 1);
  run_until(3);
  CHECK(Clock::now() - begin >= 2 * LiveSampler::kInterval);
  CHECK(asked["status"] == 3);
  CHECK(asked["events"] == 3);
  CHECK(asked["logs"] == 2);
  CHECK(asked["rollout-status"] == 1);
  CHECK(made[2]["status"]["version"] == "1.2.3");
  sampler->stop();
  CHECK(io.run_for(Duration{1}) <= 1);
  CHECK(io.stopped());
}

TEST_CASE_FIXTURE(SamplerFixture, "the next round waits for every answer of the last") {
  std::vector<FakeDaemon::Done> waiting;
  daemon.take = [&](FakeDaemon::Done done) { waiting.push_back(std::move(done)); };
  sampler->start();
  const auto until = Clock::now() + Duration{20'000};
  while (waiting.size() < 3 && Clock::now() < until) io.run_one_for(Duration{100});
  const auto questions = waiting.size();
  io.restart();
  io.run_for(2 * LiveSampler::kInterval);
  CHECK(waiting.size() == questions);
  daemon.take = nullptr;
  for (auto& done : waiting) done({ExitCode::ok, status_answer({}), {}});
  io.restart();
  run_until(1);
}

TEST_CASE_FIXTURE(SamplerFixture, "without a status there is no picture, and answers that come too late are dropped") {
  daemon.answer = [](const std::string&, const json&) { return refused(ExitCode::failed, "stopping"); };
  sampler->start();
  io.run_for(LiveSampler::kInterval / 2);
  CHECK(made.empty());
  FakeDaemon::Done late;
  daemon.take = [&](FakeDaemon::Done done) { late = std::move(done); };
  io.restart();
  io.run_for(LiveSampler::kInterval);
  REQUIRE(late);
  sampler.reset();
  late({ExitCode::ok, status_answer({}), {}});
  io.restart();
  io.poll();
  CHECK(made.empty());
}
