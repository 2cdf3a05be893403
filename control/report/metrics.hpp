#pragma once
// The answer to GET /metrics: Prometheus text exposition format 0.0.4.
#include <string>

#include "control/report/report_source.hpp"

namespace gray::control {

std::string metrics_text(const ReportSource& source);
/// Access log lines that could not be written, of all routers since the start.
std::uint64_t log_lines_lost(const segment::Layout& layout);

}  // namespace gray::control
