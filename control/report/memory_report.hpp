#pragma once
// The answer to the verb `memory`: which part of the routers holds how much memory. Pure.
//
//   {"schema_version", "rss_bytes", "accounted_bytes", "kernel_bytes",
//    "owners": [{"owner", "service", "version", "count", "bytes", "high_water_bytes"}],
//    "largest": [{"owner", "client", "path", "service", "version", "worker", "bytes", "kernel_bytes", "age_s",
//                 "waits_for"}],
//    "leaks": [{"site", "count", "bytes", "held_by"}],
//    "routers": [{"pid", "state", "answered", "rss_bytes", "accounted_bytes", "allocated_bytes", "longest_turn_us"}]}
//
// Figures are sums over the routers that have answered. `rss_bytes` is what the kernel says, `accounted_bytes` the sum
// of all owners but the sockets in the kernel, `allocated_bytes` what the allocator has handed out. `service` and
// `version` are null where none applies.
#include <vector>

#include "config/shared/memory_report.hpp"
#include "control/daemon.hpp"
#include "control/report/report_source.hpp"
#include "control/traffic/rows.hpp"

namespace gray::control {

/// Refused if the router that serves has not answered (timeout), or none serves (failed).
Reply memory_report(const std::vector<RouterMemory>& routers, const Rows& rows);

/// With "of" "workers": the last hour of each worker.
///
///   {"schema_version", "interval_s",
///    "versions": [{"service", "version", "stable", "slope_bytes", "workers":
///                  [{"id", "pid", "rss_bytes", "memory_bytes", "samples": [{"age_s", "bytes", "process"}]}]}]}
///
/// Samples are from the oldest to the newest; `process` changes when the worker was started anew. `slope_bytes`: what
/// 1,000 requests to each worker add, see MemoryTrend::slope(); null: not known.
nlohmann::json worker_memory_report(const ReportSource& source);

}  // namespace gray::control
