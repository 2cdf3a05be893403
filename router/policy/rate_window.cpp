#include "router/policy/rate_window.hpp"

#include <algorithm>
#include <utility>

namespace gray::policy {

bool RateWindow::sample(TimePoint now, std::uint64_t moved, bool waited_for, Clock::duration half) {
  const auto passed = now - std::exchange(looked_, now);
  current_.bytes += moved - std::min(moved, moved_);
  moved_ = std::max(moved, moved_);
  if (!std::exchange(waited_for_, waited_for) || !waited_for) return false;
  current_.waited += passed;
  if (current_.waited < half) return false;
  older_ = std::exchange(last_, std::exchange(current_, {}));
  return true;
}

RateWindow::Span RateWindow::whole() const {
  if (older_.waited == Clock::duration{0}) return {};
  return {older_.bytes + last_.bytes, older_.waited + last_.waited};
}

}  // namespace gray::policy
