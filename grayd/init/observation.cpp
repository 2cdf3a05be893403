#include "grayd/init/observation.hpp"

#include <algorithm>

#include "config/base/address.hpp"

namespace gray::init {
namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// The only element of a list; nothing if there is none.
const json* first_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_array() && !found->empty() ? &found->front() : nullptr;
}

}  // namespace

std::optional<Sample> sample_of(const json& status, Duration at) {
  const json* service = first_of(status, "services");
  const json* version = service ? first_of(*service, "versions") : nullptr;
  const json* worker = version ? first_of(*version, "workers") : nullptr;
  if (!worker) return std::nullopt;
  Sample sample;
  sample.at = at;
  sample.pid = worker->value("pid", 0);
  sample.worker_state = text_of(*worker, "state");
  sample.version_state = text_of(*version, "state");
  sample.address = text_of(*worker, "address");
  sample.ready_by = text_of(*worker, "ready_by");
  sample.cause = text_of(*version, "cause");
  sample.last_exit = text_of(*worker, "last_exit");
  sample.uptime = Duration(static_cast<std::int64_t>(worker->value("uptime_s", 0.0) * 1'000));
  return sample;
}

std::vector<std::string> last_lines_of(std::vector<std::string> lines) {
  const auto repeats_after = [&](std::size_t period) {
    return std::equal(lines.begin() + static_cast<std::ptrdiff_t>(period), lines.end(), lines.begin());
  };
  std::size_t period = 1;
  while (period < lines.size() && !repeats_after(period)) ++period;
  const std::size_t kept = std::min({period, lines.size(), kLastLines});
  lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kept));
  return lines;
}

void Observer::end(Observation::End how, Duration at) {
  seen_.end = how;
  seen_.took = at;
}

void Observer::pass(Duration at) {
  if (!over() && at >= limit_) end(Observation::End::time_up, at);
}

void Observer::take(const Sample& sample) {
  if (over()) return;
  if (const auto address = Address::parse(sample.address)) seen_.given = address->port;
  if (sample.pid > 0) seen_.ports = sample.ports;
  if (!sample.cause.empty()) seen_.cause = sample.cause;
  if (!sample.last_exit.empty()) seen_.last_exit = sample.last_exit;
  if (seen_.ready_by.empty() && !sample.ready_by.empty()) {
    seen_.ready_by = sample.ready_by;
    seen_.ready_after = sample.uptime;
  }
  const bool on_given = std::ranges::count(sample.ports, seen_.given, &OpenPort::port) > 0;
  if (sample.ports.empty() || on_given)
    elsewhere_since_.reset();
  else if (!elsewhere_since_)
    elsewhere_since_ = sample.at;
  if (sample.worker_state == "healthy") return end(Observation::End::healthy, sample.at);
  if (sample.version_state == "failed") return end(Observation::End::failed, sample.at);
  if (elsewhere_since_ && sample.at - *elsewhere_since_ >= kElsewhere)
    return end(Observation::End::elsewhere, sample.at);
  pass(sample.at);
}

}  // namespace gray::init
