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
  spare_.swap(lines_.front().text);
  lines_.pop_front();
}

// The memory of the oldest line is reused for the newest, so that a flood allocates nothing.
const OutputLine& OutputTail::push(std::string_view text, const OutputLine& line) {
  const std::size_t size = std::min(text.size(), kLine);
  while (!lines_.empty() && (lines_.size() >= most_ || bytes_ + size > kBytes)) drop_oldest();
  OutputLine& kept = lines_.emplace_back();
  kept.text.swap(spare_);
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
  for (std::size_t n = lines_.size() - std::min(count, lines_.size()); n < lines_.size(); ++n)
    result.push_back(lines_[n].text);
  return result;
}

std::vector<const OutputLine*> OutputTail::after(std::uint64_t sequence) const {
  std::vector<const OutputLine*> result;
  const auto first =
      std::upper_bound(lines_.begin(), lines_.end(), sequence,
                       [](std::uint64_t wanted, const OutputLine& line) { return wanted < line.sequence; });
  for (auto line = first; line != lines_.end(); ++line) result.push_back(&*line);
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
