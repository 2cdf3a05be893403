#include "router/engine/leak_detector.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <string_view>
#include <utility>

namespace gray::engine {
namespace {

using segment::LeakKind;

constexpr std::string_view kThisFile = "router/engine/leak_detector.cpp";

/// The path of a source without the folder of the tree.
std::string_view within_tree(std::string_view path) {
  constexpr std::string_view here = __FILE__;
  const std::size_t root = here.ends_with(kThisFile) ? here.size() - kThisFile.size() : 0;
  return path.starts_with(here.substr(0, root)) ? path.substr(root) : path;
}

bool same_sum(const Leak& a, const Leak& b) {
  return a.kind == b.kind && a.site.line() == b.site.line() && a.site.column() == b.site.column() &&
         std::string_view(a.site.file_name()) == b.site.file_name() && a.stack == b.stack && a.held_by == b.held_by;
}

Leak leak_of(LeakKind kind, const WatchedBuffer& buffer) {
  return {kind, buffer.site, 1, buffer.capacity, buffer.touches.text(), buffer.owner, buffer.stack};
}

}  // namespace

void Touches::add(const char* holder, std::uint64_t random) {
  if (count_ < kKept) {
    kept_[count_++] = holder;
    return;
  }
  const std::uint64_t mask = (std::uint64_t{1} << std::min(dropped_++, 30u)) - 1;
  if ((random & mask) == 0) std::copy(kept_.begin() + 2, kept_.end(), kept_.begin() + 1);
  kept_.back() = holder;
}

std::string Touches::text() const {
  std::string text;
  for (std::uint32_t i = 0; i < count_; ++i) text += (i == 0 ? "" : ", ") + std::string(kept_[i]);
  return text;
}

LeakDetector::LeakDetector(std::uint64_t seed, std::function<void()> first)
    : random_state_(seed), first_(std::move(first)) {}

// SplitMix64 (Steele, Lea, Flood, 2014): any seed will do.
std::uint64_t LeakDetector::random() {
  std::uint64_t z = random_state_ += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::uint64_t LeakDetector::next_gap() {
  if (level_ == LeakDetection::off) return 0;
  if (level_ == LeakDetection::paranoid) return 1;
  const double uniform = (static_cast<double>(random() >> 11) + 1) * 0x1p-53;  // above 0, at most 1
  return 1 + static_cast<std::uint64_t>(std::log(uniform) / std::log1p(-1.0 / kOneIn));
}

void LeakDetector::set_level(LeakDetection level) {
  if (level == level_) return;
  level_ = level;
  gap_ = next_gap();
}

WatchedBuffer* LeakDetector::watch(std::uint64_t owner, std::size_t capacity, std::source_location site) {
  gap_ = next_gap();
  if (watched_.size() >= kMostWatched) return nullptr;
  if (spare_.empty()) {
    std::unique_ptr<WatchedBuffer> made(new (std::nothrow) WatchedBuffer);
    if (!made) return nullptr;
    spare_.push_back(std::move(made));
  }
  watched_.push_back(std::move(spare_.back()));
  spare_.pop_back();
  WatchedBuffer& buffer = *watched_.back();
  buffer = {.owner = owner, .capacity = capacity, .site = site};
  buffer.index = static_cast<std::uint32_t>(watched_.size() - 1);
  if (level_ >= LeakDetection::advanced) buffer.stack = CallStack::capture(2);  // without this call and the pool's
  if (watched_.size() == 1 && first_) first_();
  return &buffer;
}

void LeakDetector::forget(WatchedBuffer& buffer) {
  const std::uint32_t index = buffer.index;
  std::swap(watched_[index], watched_.back());
  watched_[index]->index = index;
  if (spare_.size() <= watched_.size()) spare_.push_back(std::move(watched_.back()));
  watched_.pop_back();
}

void LeakDetector::touch(WatchedBuffer& buffer, const char* holder) {
  buffer.changed = true;
  if (level_ >= LeakDetection::advanced) buffer.touches.add(holder, random());
}

std::optional<LeakKind> LeakDetector::judge(WatchedBuffer& buffer, TimePoint now, const IsOpen& is_open) const {
  const bool had_ended = std::exchange(buffer.ownerless, !is_open(buffer.owner));
  if (had_ended && buffer.ownerless) return LeakKind::owner_ended;
  const bool is_small = buffer.capacity >= kWorthPin && buffer.used < buffer.capacity / kSmallPart;
  if (!is_small || buffer.small_since == TimePoint{}) buffer.small_since = is_small ? now : TimePoint{};
  if (std::exchange(buffer.changed, false)) buffer.unused_since = now;
  if (is_small && now - buffer.small_since >= rules_.pin) return LeakKind::pinned;
  if (!buffer.long_lived && now - buffer.unused_since >= rules_.age) return LeakKind::too_old;
  return std::nullopt;
}

std::vector<Leak> LeakDetector::sweep(TimePoint now, const IsOpen& is_open) {
  std::vector<Leak> fresh;
  for (const auto& buffer : watched_) {
    const auto kind = judge(*buffer, now, is_open);
    if (!kind) continue;
    const auto bit = static_cast<std::uint8_t>(1u << static_cast<unsigned>(*kind));
    if ((buffer->reported & bit) != 0) continue;
    buffer->reported |= bit;
    if (add(leak_of(*kind, *buffer))) fresh.push_back(leaks_.back());
  }
  return fresh;
}

bool LeakDetector::left_over(std::uint64_t owner, std::size_t capacity, std::source_location site,
                             const WatchedBuffer* watched) {
  if (watched != nullptr) return add(leak_of(LeakKind::drained, *watched));
  return add({LeakKind::drained, site, 1, capacity, {}, owner, {}});
}

bool LeakDetector::add(Leak leak) {
  ++found_[static_cast<std::size_t>(leak.kind)];
  const auto known = std::ranges::find_if(leaks_, [&](const Leak& one) { return same_sum(one, leak); });
  if (known != leaks_.end()) {
    ++known->count;
    known->bytes += leak.bytes;
    return false;
  }
  if (leaks_.size() >= kMostSites) return false;  // found() counts it
  leaks_.push_back(std::move(leak));
  return true;
}

std::string text_of(const std::source_location& site) {
  return std::string(within_tree(site.file_name())) + ":" + std::to_string(site.line());
}

std::string text_of(const Leak& leak, std::uint32_t per) {
  std::string text = "buffer leak (" + std::string(segment::name_of(leak.kind)) + "): " + std::to_string(leak.bytes) +
                     " bytes taken at " + text_of(leak.site) + " for connection " +
                     std::to_string(leak.owner & UINT32_MAX) + "." + std::to_string(leak.owner >> 32);
  if (!leak.held_by.empty()) text += ", held by " + leak.held_by;
  if (leak.kind != LeakKind::drained && per > 1) text += "; 1 in " + std::to_string(per) + " buffers is watched";
  if (const std::string calls = text_of(leak.stack); !calls.empty()) text += "; calls: " + calls;
  return text;
}

}  // namespace gray::engine
