#pragma once
// Rates as one line of bars. Pure.
#include <cstddef>
#include <string>
#include <vector>

namespace gray::control {

/// `width` characters for all of `rates`, oldest first; each is the mean of its share. The highest mean has the highest
/// bar. Negative rates are unknown and are left out; a share without a known rate is a space. `utf8` false: ASCII.
std::string sparkline(const std::vector<double>& rates, std::size_t width, bool utf8);

}  // namespace gray::control
