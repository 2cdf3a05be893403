#pragma once
// The size of the processes of one version, as the mean of its workers, beside the requests that they have answered.
#include <cstdint>
#include <functional>

#include "config/shared/totals.hpp"
#include "config/shared/version_view.hpp"

namespace gray::control {

/// Of the worker whose first process is `pid`, with all its processes; 0 if it has ended.
struct ProcessMeter {
  std::function<std::uint64_t(pid_t)> memory_bytes, open_files;
};

struct Vitals {
  std::uint64_t processes = 0;  // identifies them: differs after a process was started; 0: none
  double requests = 0;          // completed since then, for each worker
  double memory = 0;            // bytes
  double files = 0;             // open descriptors
};

/// Measures one version. Workers that no router chooses do not count.
class VitalsMeter {
 public:
  static constexpr std::size_t kMeasuredWorkers = 8;

  Vitals look(const VersionView& view, const segment::Totals& totals, const ProcessMeter& meter);

  template <class Io>
  void archive(Io& io) {
    io("generations", generations_);
    io("requests", requests_);
  }

 private:
  std::uint64_t generations_ = 0;  // their sum: changes when a process was started
  std::uint64_t requests_ = 0;     // completed before that
};

}  // namespace gray::control
