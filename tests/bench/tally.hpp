#pragma once
// The results of the requests of one run, and their JSON form.
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "config/base/time.hpp"
#include "tests/bench/histogram.hpp"

namespace gray::bench {

class Tally {
 public:
  void answered(int status, const std::string& reason, Micros latency) {
    all_.record(latency);
    statuses_[status].record(latency);
    classes_[status / 100].record(latency);
    if (!reason.empty()) reasons_[reason].record(latency);
  }
  /// Counts with the patience of the client as its latency: a lower bound, so that giving up never flatters a quantile.
  void timed_out(Micros patience) {
    ++timeouts_;
    all_.record(patience);
  }
  void connect_failed() { ++connect_errors_; }
  void broken() { ++broken_; }

  /// `elapsed` is from the first request offered to the last one ended.
  nlohmann::json to_json(std::uint64_t offered, Clock::duration elapsed) const {
    const double seconds = std::chrono::duration<double>(elapsed).count();
    std::uint64_t answers = 0;
    nlohmann::json status = nlohmann::json::object();
    nlohmann::json reason = nlohmann::json::object();
    nlohmann::json latency = {{"all", quantiles(all_)}};
    for (const auto& [code, histogram] : statuses_) {
      status[std::to_string(code)] = histogram.count();
      latency[std::to_string(code)] = quantiles(histogram);
      answers += histogram.count();
    }
    for (const auto& [hundred, histogram] : classes_) latency[std::to_string(hundred) + "xx"] = quantiles(histogram);
    for (const auto& [name, histogram] : reasons_) {
      reason[name] = histogram.count();
      latency[name] = quantiles(histogram);
    }
    return {{"offered", offered},
            {"answered", answers},
            {"status", status},
            {"reason", reason},
            {"timeouts", timeouts_},
            {"connect_errors", connect_errors_},
            {"broken", broken_},
            {"seconds", seconds},
            {"rps", seconds > 0 ? static_cast<double>(answers) / seconds : 0},
            {"latency_ms", latency}};
  }

 private:
  static nlohmann::json quantiles(const Histogram& histogram) {
    const auto ms = [](Micros value) { return static_cast<double>(value.count()) / 1000.0; };
    return {{"count", histogram.count()},
            {"p50", ms(histogram.quantile(0.5))},
            {"p90", ms(histogram.quantile(0.9))},
            {"p99", ms(histogram.quantile(0.99))},
            {"p99.9", ms(histogram.quantile(0.999))},
            {"max", ms(histogram.max())}};
  }

  Histogram all_;
  std::map<int, Histogram> statuses_;
  std::map<int, Histogram> classes_;
  std::map<std::string, Histogram> reasons_;
  std::uint64_t timeouts_ = 0;
  std::uint64_t connect_errors_ = 0;
  std::uint64_t broken_ = 0;
};

}  // namespace gray::bench
