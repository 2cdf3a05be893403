#include "control/judge/verdict.hpp"

namespace gray::control {

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

}  // namespace gray::control
