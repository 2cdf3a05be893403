#pragma once
// What the judge says of a version that gets a share of the users.
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

namespace gray::control {

enum class VerdictResult : std::uint8_t { pass, fail, insufficient };
enum class Metric : std::uint8_t { errors, resets, timeouts, slow, latency, count };
constexpr VerdictResult last_value(VerdictResult) { return VerdictResult::insufficient; }
constexpr Metric last_value(Metric) { return Metric::latency; }

struct Figures {
  std::uint64_t requests = 0;
  std::uint64_t users = 0;   // distinct ones, estimated
  std::uint64_t failed = 0;  // users with a failed request, each once in 10 minutes
  double error_ratio = 0;    // failed requests of all, 0..1
  double p50_ms = 0, p99_ms = 0;
  template <class Io>
  void archive(Io& io) {
    io("requests", requests);
    io("users", users);
    io("failed", failed);
    io("error_ratio", error_ratio);
    io("p50_ms", p50_ms);
    io("p99_ms", p99_ms);
  }
  bool operator==(const Figures&) const = default;
};

struct Verdict {
  VerdictResult result = VerdictResult::insufficient;
  std::optional<Metric> metric;  // of a fail
  std::string text;              // one line: why it is not a pass; empty for a pass
  Figures stable, canary;        // since the weight was changed last
  template <class Io>
  void archive(Io& io) {
    io("result", result);
    io("metric", metric);
    io("text", text);
    io("stable", stable);
    io("canary", canary);
  }
  bool operator==(const Verdict&) const = default;
};

/// "pass", "fail", "insufficient".
const char* name_of(VerdictResult result);
/// "errors", "resets", "timeouts", "slow", "latency".
const char* name_of(Metric metric);

/// {"result", "metric", "text", "stable": FIGURES, "canary": FIGURES}; FIGURES are {"requests", "users", "failed",
/// "error_ratio", "p50_ms", "p99_ms"}.
nlohmann::json to_json(const Verdict& verdict);

}  // namespace gray::control
