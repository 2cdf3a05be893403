#pragma once
// What is known of the memory of one version: the last hour of each worker, the trend of their mean, and how much they
// had grown after so many requests. It is recorded whether or not another version has users, so that a canary can be
// compared with a stable version that was young long ago. Main thread; measures processes through functions.
#include <map>
#include <string>

#include "control/judge/growth_curve.hpp"
#include "control/judge/memory_trend.hpp"
#include "control/judge/vitals.hpp"

namespace gray::control {

class VersionMemory {
 public:
  /// To be called each MemoryTrend::kInterval.
  void look(TimePoint now, const VersionView& view, const segment::Totals& totals, const ProcessMeter& meter);

  const MemoryTrend& trend() const { return trend_; }
  const GrowthCurve& growth() const { return growth_; }
  /// Of a worker, "web@v1#0"; null: it was not measured yet.
  const MemoryTrend* worker(const std::string& id) const;

  template <class Io>
  void archive(Io& io) {
    io("vitals", vitals_);
    io("trend", trend_);
    io("growth", growth_);
    io("workers", workers_);
  }

 private:
  VitalsMeter vitals_;
  MemoryTrend trend_;
  GrowthCurve growth_;
  std::map<std::string, MemoryTrend> workers_;  // those that have a slot now
};

}  // namespace gray::control
