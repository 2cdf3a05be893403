#include "control/judge/alarms.hpp"

namespace gray::control {

std::optional<std::string> Alarms::look(TimePoint now, const Side& canary, const Side& stable,
                                        const ProcessMeter& meter) {
  if (auto reason = crash_.look(now, *canary.view, *stable.view)) return reason;
  if (auto reason = hang_.look(now, canary.totals, stable.totals)) return reason;
  if (measured_ && now - *measured_ < kMeasure) return std::nullopt;
  measured_ = now;
  return growth_.look(now, canary_.look(*canary.view, canary.totals, meter),
                      stable_.look(*stable.view, stable.totals, meter), {canary.memory, stable.memory});
}

}  // namespace gray::control
