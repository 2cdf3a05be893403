#pragma once
// The memory of a worker, or the mean of a version's workers, over the last hour, and how it grows with the requests.
// Pure; `now` is passed in.
//
// Invariant: at most kSamples samples, one each kInterval, so the curve of one worker costs about 4 kB.
#include <cstdint>
#include <deque>
#include <optional>

#include "config/base/time.hpp"
#include "control/judge/vitals.hpp"

namespace gray::control {

class MemoryTrend {
 public:
  static constexpr Duration kInterval{30'000};
  static constexpr Duration kWindow{3'600'000};
  static constexpr std::size_t kSamples = kWindow / kInterval;
  static constexpr double kMinRequests = 1'000;  // between the first and the last sample of a slope
  static constexpr std::size_t kMinSamples = 4;

  struct Sample {
    TimePoint at{};
    std::uint64_t processes = 0;  // as in Vitals
    double memory = 0;            // bytes
    double requests = 0;          // of each worker, since its processes were first measured

    template <class Io>
    void archive(Io& io) {
      io("at", at);
      io("processes", processes);
      io("memory", memory);
      io("requests", requests);
    }
  };

  /// Nothing is added while there is no process.
  void add(TimePoint now, const Vitals& vitals);
  const std::deque<Sample>& samples() const { return samples_; }  // the oldest first
  /// Bytes that are added by 1,000 requests to each worker, by least squares over the samples of the processes that run
  /// now; nothing: too few requests or samples.
  std::optional<double> slope() const;

  template <class Io>
  void archive(Io& io) {
    io("samples", samples_);
    io.check("samples", samples_.size() <= kSamples, "a bounded list");
  }

 private:
  std::deque<Sample> samples_;
};

}  // namespace gray::control
