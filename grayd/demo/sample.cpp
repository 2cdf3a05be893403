#include "grayd/demo/sample.hpp"

#include <algorithm>

#include "grayd/demo/demo_plan.hpp"

namespace gray::demo {
namespace {

using nlohmann::json;

bool all_healthy(const json& version) {
  const json& workers = version.at("workers");
  const auto healthy =
      std::ranges::count_if(workers, [](const json& worker) { return worker.at("state") == "healthy"; });
  return healthy == version.at("instances").get<std::ptrdiff_t>();
}

void read_status(const json& status, Sample& sample) {
  const json& service = status.at("services").at(0);
  sample.stable = service.at("stable");
  sample.up = true;
  for (const json& version : service.at("versions")) {
    sample.up = sample.up && all_healthy(version);
    if (version.at("name") != kNew) continue;
    sample.weight = version.at("weight");
    sample.verdict = version.at("verdict");
  }
  sample.answered = true;
}

void read_rollout(const json& rollout, Sample& sample) {
  sample.state = rollout.at("state");
  sample.step = rollout.at("step");
  sample.steps = rollout.at("steps").size();
  sample.reason = rollout.at("reason");
  sample.since = wall_time_from(rollout.at("since").get<std::string>()).value_or(WallTime{});
}

}  // namespace

Sample sample_of(const json& status, const json& rollout, Break broken) {
  Sample sample;
  sample.broken = std::move(broken);
  try {
    if (status.is_object()) read_status(status, sample);
    if (rollout.is_object()) read_rollout(rollout, sample);
  } catch (const json::exception&) {  // of another version of grayd, after an upgrade
    sample.answered = false;
  }
  return sample;
}

}  // namespace gray::demo
