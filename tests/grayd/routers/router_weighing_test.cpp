#include "grayd/routers/router_weighing.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <optional>

using namespace gray;
using namespace gray::master;

namespace {

struct RouterWeighingFixture {
  asio::io_context io;
  RouterWeighing weighing{io};
  std::vector<std::vector<RouterMemory>> answers;

  bool ask() {
    return weighing.ask([this](std::vector<RouterMemory> memory) { answers.push_back(std::move(memory)); });
  }
  void run() {
    io.restart();
    io.run();
  }
};

}  // namespace

TEST_CASE_FIXTURE(RouterWeighingFixture, "callers that ask at the same time share the answers of all routers") {
  REQUIRE(ask());
  weighing.asked(::getpid(), RouterState::ready);
  weighing.asked(7, RouterState::draining);
  weighing.wait();
  CHECK_FALSE(ask());
  MemoryReport report;
  report.longest_turn_us = 9;
  weighing.answered(7, weighing.number() + 1, report);  // of another question
  weighing.answered(8, weighing.number(), report);      // of nobody
  weighing.answered(::getpid(), weighing.number(), report);
  weighing.answered(7, weighing.number(), report);
  CHECK(answers.empty());  // never synchronously
  run();
  REQUIRE(answers.size() == 2);
  REQUIRE(answers[1].size() == 2);
  CHECK(answers[1][0].pid == ::getpid());
  CHECK(answers[1][0].answered);
  CHECK(answers[1][0].rss > 0);
  CHECK(answers[1][0].report.longest_turn_us == 9);
  CHECK(answers[1][1].state == RouterState::draining);
}

TEST_CASE_FIXTURE(RouterWeighingFixture, "a router that ends or stays silent is not awaited for ever") {
  REQUIRE(ask());
  weighing.asked(7, RouterState::ready);
  weighing.asked(8, RouterState::draining);
  weighing.wait();
  weighing.ended(8);
  const auto begun = Clock::now();
  run();
  CHECK(Clock::now() - begun >= RouterWeighing::kLimit - Duration{50});
  REQUIRE(answers.size() == 1);
  REQUIRE(answers[0].size() == 1);
  CHECK_FALSE(answers[0][0].answered);
  CHECK(ask());  // a new question
  weighing.asked(7, RouterState::ready);
  weighing.wait();
  weighing.ended(7);
  run();
  REQUIRE(answers.size() == 2);
  CHECK(answers[1].empty());
}

TEST_CASE_FIXTURE(RouterWeighingFixture, "without a router the answer is empty, at once") {
  REQUIRE(ask());
  weighing.wait();
  run();
  REQUIRE(answers.size() == 1);
  CHECK(answers[0].empty());
}
