#pragma once
// `grayd demo`: two versions of a small service with users, in one terminal, until Ctrl-C. A grayd of its own serves a
// configuration in a private folder; its workers are this executable, too. This process makes the users, looks at grayd
// four times a second and tells what happens: lines above one that is redrawn, or where there is no terminal a line
// each few seconds.
//
// Whatever way it ends, nothing is left: the users end first, then grayd with its workers, then the folder is removed.
// After a SIGKILL grayd ends by itself, and the next demo removes the folder.
#include <cstdint>
#include <string>

#include "grayd/process/command_line.hpp"

namespace gray::demo {

/// What is printed at the start. `refused`: "port 8000: Address already in use", if another port was asked for.
std::string introduction(std::uint16_t port, const std::string& refused, const std::string& grayctl);

/// `program`: this executable. Returns the exit code.
int run_demo(const master::DemoArguments& arguments, const std::string& program);

}  // namespace gray::demo
