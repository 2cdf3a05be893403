#include "supervisor/process/output.hpp"

#include <algorithm>

#include "config/base/printable.hpp"

namespace gray::supervisor {

// The memory of the oldest line is reused for the newest, so that a flood allocates nothing.
const OutputLine& OutputTail::push(std::string_view text, const OutputLine& line) {
  if (lines_.size() < kLines) lines_.emplace_back();
  OutputLine& kept = lines_[next_];
  next_ = (next_ + 1) % kLines;
  kept.sequence = ++*counter_;
  kept.number = ++pushed_;
  kept.time = line.time;
  kept.is_error = line.is_error;
  kept.cut = line.cut || text.size() > kLine;
  kept.text.assign(text.substr(0, kLine));
  if (kept.text.ends_with('\r')) kept.text.pop_back();
  make_printable(kept.text, '?', Tabs::kept);
  return kept;
}

std::vector<std::string> OutputTail::last(std::size_t count) const {
  std::vector<std::string> result;
  for (std::size_t n = lines_.size() - std::min(count, lines_.size()); n < lines_.size(); ++n)
    result.push_back(at(n).text);
  return result;
}

std::vector<const OutputLine*> OutputTail::after(std::uint64_t sequence) const {
  std::vector<const OutputLine*> result;
  for (std::size_t n = 0; n < lines_.size(); ++n)
    if (at(n).sequence > sequence) result.push_back(&at(n));
  return result;
}

bool LineRate::admit(TimePoint now) {
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    used_ = 0;
  }
  const bool admitted = used_ < kPerSecond;
  ++(admitted ? used_ : dropped_);
  return admitted;
}

}  // namespace gray::supervisor
