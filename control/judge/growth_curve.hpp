#pragma once
// How much the processes of a version had grown after so many requests: the largest of all its processes. Pure.
#include <cstdint>
#include <optional>
#include <vector>

#include "control/judge/vitals.hpp"

namespace gray::control {

struct Growth {
  double memory = 0;  // bytes
  double files = 0;
};

class GrowthCurve {
 public:
  /// A process counts from its first measurement.
  void record(const Vitals& vitals);
  /// The largest growth up to that number of requests; nothing: it was not measured with so few.
  std::optional<Growth> of(double requests) const;

  template <class Io>
  void archive(Io& io) {
    io("processes", first_.processes);
    io("memory", first_.memory);
    io("files", first_.files);
    io("points", points_);
    io.check("points", points_.size() <= kPoints, "a bounded list");
  }

 private:
  static constexpr std::uint32_t kPoints = 128;  // four for each power of two of requests
  struct Point {
    std::uint32_t at = 0;
    Growth largest;

    template <class Io>
    void archive(Io& io) {
      io("at", at);
      io("memory", largest.memory);
      io("files", largest.files);
    }
  };
  static std::uint32_t point_of(double requests);

  Vitals first_;               // of the processes that are measured
  std::vector<Point> points_;  // ascending
};

/// Growth from the first measurement of the same processes.
Growth grown(Vitals& first, const Vitals& now);

}  // namespace gray::control
