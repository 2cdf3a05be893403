#pragma once
// The figures of `grayctl top` for scripts: lines instead of a frame. Pure. Fields are only added, at
// the end of a line.
#include <string>

#include "control/live/live_figures.hpp"

namespace gray::control {

/// The titles of the fields, with a line end.
std::string plain_titles();
/// One line for each version: as many fields as titles, with spaces between them and none inside. `time` is the first.
std::string plain_lines(const TopView& view, const std::string& time);

}  // namespace gray::control
