#pragma once
// One frame of `grayctl top`: figures, size and settings in, lines of text out. Pure.
//
// From top to bottom: grayd or its trouble; one row for each version; for what needs a look its reason, both figures of
// a verdict, the step of a rollout, the way back; the newest errors; the keys.
//
// Invariants
//  - At most as many lines as the terminal has, none wider than it (at least 40 columns). No control character of an
//    answer is in them, only the colours.
//  - What does not fit is counted in the frame, not left out silently. Columns give way in the order of kLayouts.
#include <string>
#include <vector>

#include "control/grayctl/terminal.hpp"
#include "control/grayctl/top/keys.hpp"
#include "control/live/live_figures.hpp"

namespace gray::control {

/// The versions that `controls` shows, in its order.
std::vector<VersionFigures> chosen_versions(const TopView& view, const Controls& controls);

std::vector<std::string> frame(const TopView& view, const Controls& controls, const Terminal& terminal);

}  // namespace gray::control
