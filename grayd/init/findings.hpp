#pragma once
// What a trial showed, as lines for people: each with a word (ok, fix, hint), and the remedy where something is wrong.
// Pure.
#include <string>
#include <vector>

#include "grayd/init/observation.hpp"
#include "grayd/init/plan.hpp"

namespace gray::init {

struct Finding {
  enum class Level { ok, hint, fix } level = Level::ok;
  std::string text;
  bool operator==(const Finding&) const = default;
};

/// Whether something is to be corrected before users come: it is not healthy, or answers with an error of its own.
bool is_wrong(const Observation& seen);

std::vector<Finding> findings_of(const Observation& seen, const Plan& plan);

/// "  ok    TEXT", wrapped behind the word; then the last lines of a program that is not healthy.
std::string report_of(const Observation& seen, const Plan& plan);

}  // namespace gray::init
