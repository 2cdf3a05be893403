#pragma once
// The answer to GET /metrics: Prometheus text exposition format 0.0.4.
#include <string>

#include "grayd/report_source.hpp"

namespace gray::master {

std::string metrics_text(const ReportSource& source);

}  // namespace gray::master
