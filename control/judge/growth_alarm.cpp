#include "control/judge/growth_alarm.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gray::control {
namespace {

constexpr double kMiB = 1 << 20;

/// " (12.5 MiB per 1,000 requests)"; empty: not known.
std::string slope_text(const VersionMemory* memory) {
  const auto slope = memory == nullptr ? std::nullopt : memory->trend().slope();
  return slope ? fmt::format(" ({:.2f} MiB per 1,000 requests)", *slope / kMiB) : std::string();
}

}  // namespace

/// Nothing: stable was not measured while it had so few requests.
std::optional<Growth> GrowthAlarm::of_stable(double requests, const GrowthHistory& history) const {
  const auto now = curve_.of(requests);
  const auto before = history.stable == nullptr ? std::nullopt : history.stable->growth().of(requests);
  if (!now || !before) return now ? now : before;
  return Growth{std::max(now->memory, before->memory), std::max(now->files, before->files)};
}

std::optional<std::string> GrowthAlarm::look(TimePoint now, const Vitals& canary, const Vitals& stable,
                                             const GrowthHistory& history) {
  curve_.record(stable);
  if (canary.processes == 0) return std::nullopt;
  const Growth growth = grown(first_, canary);
  const auto known = of_stable(canary.requests, history);
  const Growth usual = known.value_or(Growth{});
  const auto exceeds = [](double ours, double theirs, double margin) { return ours > kFactor * theirs + margin; };
  const bool memory = exceeds(growth.memory, usual.memory, kMemoryMargin) &&
                      (known || exceeds(canary.memory, stable.memory, kMemoryMargin));
  const bool files =
      exceeds(growth.files, usual.files, kFilesMargin) && (known || exceeds(canary.files, stable.files, kFilesMargin));
  if (canary.requests < kMinRequests || !(memory || files)) {
    above_since_.reset();
    return std::nullopt;
  }
  if (!above_since_) above_since_ = now;
  if (now - *above_since_ < kSustained) return std::nullopt;
  if (memory) {
    return fmt::format(
        "its memory has grown by {:.0f} MiB in {:.0f} requests, to {:.0f} MiB{}; that of stable is {:.0f} MiB{}",
        growth.memory / kMiB, canary.requests, canary.memory / kMiB, slope_text(history.canary), stable.memory / kMiB,
        slope_text(history.stable));
  }
  return fmt::format("it has opened {:.0f} more files in {:.0f} requests; stable has {:.0f}", growth.files,
                     canary.requests, stable.files);
}

}  // namespace gray::control
