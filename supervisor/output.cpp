#include "supervisor/output.hpp"

#include <algorithm>

namespace gray::supervisor {

// The oldest line's memory is used for the newest, so that a flood allocates nothing.
void OutputTail::push(std::string_view line) {
  if (lines_.size() < kLines) lines_.emplace_back();
  std::string& kept = lines_[next_];
  next_ = (next_ + 1) % kLines;
  kept.assign(line.substr(0, kLine));
  if (kept.ends_with('\r')) kept.pop_back();
  for (char& c : kept)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) c = '?';
}

std::vector<std::string> OutputTail::last(std::size_t count) const {
  std::vector<std::string> result;
  const std::size_t n = std::min(count, lines_.size());
  for (std::size_t i = 0; i < n; ++i) result.push_back(lines_[(next_ + lines_.size() - n + i) % lines_.size()]);
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
