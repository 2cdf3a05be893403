#include "supervisor/process/output.hpp"

#include <algorithm>

#include "config/base/printable.hpp"

namespace gray::supervisor {

void OutputTail::limit(std::size_t lines) {
  most_ = std::max<std::size_t>(1, lines);
  while (lines_.size() > most_) drop_oldest();
}

void OutputTail::drop_oldest() {
  bytes_ -= lines_.front().text.size();
  spare_.clear();
  spare_.splice(spare_.begin(), lines_, lines_.begin());
}

// The memory of the oldest line is reused for the newest, so that a flood allocates nothing.
const OutputLine& OutputTail::push(std::string_view text, const OutputLine& line) {
  const std::size_t size = std::min(text.size(), kLine);
  while (!lines_.empty() && (lines_.size() >= most_ || bytes_ + size > kBytes)) drop_oldest();
  if (spare_.empty()) spare_.emplace_back();
  lines_.splice(lines_.end(), spare_);
  OutputLine& kept = lines_.back();
  kept.sequence = ++*counter_;
  kept.number = ++pushed_;
  kept.time = line.time;
  kept.is_error = line.is_error;
  kept.cut = line.cut || text.size() > kLine;
  kept.text.assign(text.substr(0, kLine));
  if (kept.text.ends_with('\r')) kept.text.pop_back();
  make_printable(kept.text, '?', Tabs::kept);
  bytes_ += kept.text.size();
  return kept;
}

std::vector<std::string> OutputTail::last(std::size_t count) const {
  std::vector<std::string> result;
  auto line = lines_.rbegin();
  for (std::size_t n = 0; n < count && line != lines_.rend(); ++n, ++line) result.push_back(line->text);
  std::ranges::reverse(result);
  return result;
}

std::vector<const OutputLine*> OutputTail::after(std::uint64_t sequence) const {
  std::vector<const OutputLine*> result;
  for (auto line = lines_.rbegin(); line != lines_.rend() && line->sequence > sequence; ++line)
    result.push_back(&*line);
  std::ranges::reverse(result);
  return result;
}

bool LineRate::admit(std::size_t bytes, TimePoint now) {
  const auto waited = std::chrono::duration_cast<std::chrono::milliseconds>(now - filled_).count();
  const auto gained = static_cast<std::uint64_t>(std::clamp<std::int64_t>(waited, 0, 60'000)) * kPerSecond / 1'000;
  if (gained > 0) {
    room_ = std::min(kBurst, room_ + gained);
    filled_ = now;
  }
  const bool admitted = bytes <= room_;
  if (admitted) room_ -= bytes;
  if (!admitted) ++dropped_;
  return admitted;
}

}  // namespace gray::supervisor
