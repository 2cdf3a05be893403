#include "control/judge/verdict.hpp"

#include <nlohmann/json.hpp>

namespace gray::control {
namespace {

using nlohmann::json;

json to_json(const Figures& figures) {
  return {{"requests", figures.requests},       {"users", figures.users},   {"failed", figures.failed},
          {"error_ratio", figures.error_ratio}, {"p50_ms", figures.p50_ms}, {"p99_ms", figures.p99_ms}};
}

}  // namespace

const char* name_of(VerdictResult result) {
  switch (result) {
    case VerdictResult::pass: return "pass";
    case VerdictResult::fail: return "fail";
    case VerdictResult::insufficient: return "insufficient";
  }
  return "";
}

const char* name_of(Metric metric) {
  switch (metric) {
    case Metric::errors: return "errors";
    case Metric::resets: return "resets";
    case Metric::timeouts: return "timeouts";
    case Metric::slow: return "slow";
    case Metric::latency: return "latency";
    case Metric::count: break;
  }
  return "";
}

json to_json(const Verdict& verdict) {
  return {{"result", name_of(verdict.result)},
          {"metric", verdict.metric ? json(name_of(*verdict.metric)) : json()},
          {"text", verdict.text},
          {"stable", to_json(verdict.stable)},
          {"canary", to_json(verdict.canary)}};
}

}  // namespace gray::control
