#pragma once
// What the demo sees of its grayd at one moment, from the answers of the admin API. Pure.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "config/base/wall_time.hpp"

namespace gray::demo {

/// How v2 is broken, and since when; empty: it is not.
struct Break {
  std::string how;
  WallTime since{};
};

struct Sample {
  bool answered = false;
  bool up = false;        // all workers of both versions
  std::string stable;     // the version that has the users who are not drawn
  double weight = 0;      // of v2, percent; 100 if it is stable
  std::string verdict;    // of v2: ok, worse, insufficient or none
  std::string state;      // of the rollout; empty: there was none
  std::size_t step = 0;   // begun last, from 1 on
  std::size_t steps = 0;  // of the rollout
  std::string reason;     // of its state
  WallTime since{};       // of its state
  Break broken;
};

/// `status` and `rollout`: answers; null: there was none.
Sample sample_of(const nlohmann::json& status, const nlohmann::json& rollout, Break broken);

}  // namespace gray::demo
