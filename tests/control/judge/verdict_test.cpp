#include "control/judge/verdict.hpp"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace gray::control {
namespace {

TEST_CASE("results have the names of the contract, and each metric has one of its own") {
  CHECK(std::string(name_of(VerdictResult::pass)) == "pass");
  CHECK(std::string(name_of(VerdictResult::fail)) == "fail");
  CHECK(std::string(name_of(VerdictResult::insufficient)) == "insufficient");
  std::set<std::string> names;
  for (int i = 0; i < static_cast<int>(Metric::count); ++i) names.insert(name_of(static_cast<Metric>(i)));
  CHECK(names == std::set<std::string>{"errors", "resets", "timeouts", "slow", "latency"});
}

}  // namespace
}  // namespace gray::control
