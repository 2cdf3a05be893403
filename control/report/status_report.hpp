#pragma once
// The answer to `grayctl status -o json` (contract 2.5): its names never change, but more may be added.
#include <nlohmann/json.hpp>

#include "control/report/report_source.hpp"

namespace gray::control {

nlohmann::json status_report(const ReportSource& source);

}  // namespace gray::control
