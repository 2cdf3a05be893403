#include "control/live/picture.hpp"

#include <fmt/format.h>

#include <ranges>
#include <set>

#include "control/live/figures_json.hpp"
#include "control/live/json_read.hpp"

namespace gray::control {
namespace {

std::string one_line(const nlohmann::json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

void Picture::take_status(const nlohmann::json& answer, TimePoint now) {
  status_ = one_line(answer);
  figures_.take_status(answer, now);
  std::set<std::string> services;
  for (const nlohmann::json& service : json_read::parts(answer, "services"))
    services.insert(json_read::word(service, "name"));
  std::erase_if(rollouts_, [&](const auto& entry) { return !services.contains(entry.first); });
}

void Picture::take_events(const nlohmann::json& answer) {
  figures_.take_events(answer);
  for (const nlohmann::json& event : json_read::parts(answer, "events")) events_.push_back(one_line(event));
  while (events_.size() > kEvents) events_.pop_front();
}

void Picture::take_rollout(const std::string& service, const std::optional<nlohmann::json>& answer) {
  figures_.take_rollout(service, answer);
  if (answer)
    rollouts_[service] = one_line(*answer);
  else
    rollouts_.erase(service);
}

std::string Picture::text(WallTime now) const {
  if (status_.empty()) return {};
  const std::string time = rfc3339(now).substr(0, 19) + "Z";
  return fmt::format(R"({{"schema_version":1,"time_ms":{},"writable":{},"status":{},"figures":{},"rollouts":[{}],)"
                     R"("events":[{}]}})",
                     now.time_since_epoch().count(), writable_, status_, one_line(figures_json(figures_.view(), time)),
                     fmt::join(std::views::values(rollouts_), ","), fmt::join(events_, ","));
}

}  // namespace gray::control
