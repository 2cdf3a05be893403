#pragma once
// The metrics of releases: which version is stable, what the judge says of the others, and where the last rollout of a
// service stands. A state is a family with one series for each value, of which one is 1: so a query can ask for a state
// by name, and its end is seen as well as its beginning.
#include <string>

#include "control/report/report_source.hpp"

namespace gray::control {

/// Appends the families in the text format of Prometheus. A verdict is reported for versions that are judged, a rollout
/// for services that had one.
void release_metrics(std::string& out, const ReportSource& source);

}  // namespace gray::control
