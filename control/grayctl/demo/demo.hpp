#pragma once
// `demo break` and `demo heal`: they write and remove a file in the folder of a running `grayd demo`. The folder is
// that of the configuration which grayd names in its status; without the marker of a demo in it nothing is written.
#include "control/grayctl/command.hpp"
#include "control/grayctl/outcome.hpp"

namespace gray::control {

Outcome run_demo(const Command& command);

/// What follows from the break or the healing, for a person. `status`: the answer of grayd.
std::string demo_text(const Command& command, const nlohmann::json& status, bool was_broken);

}  // namespace gray::control
