#pragma once
// The memory of the workers over the last hour, as a table with a curve for each. Pure.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "control/grayctl/terminal.hpp"

namespace gray::control {

/// The answer to the verb `memory` of workers.
std::string view_workers(const nlohmann::json& answer, const Terminal& terminal);

/// `values` as a curve of at most `columns` characters, the lowest bar for `low`, the highest for `high`. Each column
/// shows the largest of its values. In ASCII if `utf8` is false.
std::string curve_of(const std::vector<double>& values, double low, double high, std::size_t columns, bool utf8);

}  // namespace gray::control
