#pragma once
// The text format of Prometheus, version 0.0.4: families and label values.
#include <string>
#include <string_view>

namespace gray::control {

/// Backslash, quote and newline are escaped: a label value may hold anything else.
std::string label_value(std::string_view value);
/// "service="web",version="v1"".
std::string version_labels(std::string_view service, std::string_view version);
/// Appends the lines that announce a family; `type` is "counter", "gauge" or "histogram".
void announce(std::string& out, std::string_view name, std::string_view type, std::string_view help);

}  // namespace gray::control
