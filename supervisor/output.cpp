#include "supervisor/output.hpp"

#include <algorithm>

namespace gray::supervisor {

// The oldest line's memory is used for the newest, so that a flood allocates nothing.
void OutputTail::push(std::string_view line) {
  std::string kept;
  if (lines_.size() == kLines) {
    kept = std::move(lines_.front());
    lines_.pop_front();
  }
  kept.assign(line.substr(0, kLine));
  for (char& c : kept)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) c = '?';
  if (!kept.empty() && line.back() == '\r') kept.pop_back();
  lines_.push_back(std::move(kept));
}

std::vector<std::string> OutputTail::last(std::size_t count) const {
  const std::size_t n = std::min(count, lines_.size());
  return {lines_.end() - static_cast<std::ptrdiff_t>(n), lines_.end()};
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
