#pragma once
// What a version did since the last look, from its rows in the shared segment. One for each version that is judged.
// Pure but for reading the segment.
#include <optional>

#include "config/shared/segment.hpp"
#include "config/shared/totals.hpp"
#include "control/judge/judge.hpp"

namespace gray::control {

class Observer {
 public:
  /// The first look gives an empty step: what was before is not known. `row`: of the version now; a different row than
  /// at the last look is a first look.
  Step look(const segment::Layout& layout, std::uint32_t row);
  /// All counts at the last look.
  const segment::Totals& totals() const { return totals_; }

 private:
  std::optional<std::uint32_t> row_;  // of the last look
  segment::Totals totals_;
  segment::Samples samples_{};
};

}  // namespace gray::control
