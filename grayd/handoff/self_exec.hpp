#pragma once
// One image of grayd follows another in the same process, by exec: the first writes its state down, the next reads it
// and serves on as if nothing had been. What it cannot read sends it back to the first, which reads the same state.
//
// Invariants: nothing that was inherited is closed, and no child is ended, before everything is read; so nothing that
// is half read is ever destroyed. Signals are held from before the writing until there are handlers after the reading.
#include <functional>
#include <string>
#include <vector>

#include "grayd/command_line.hpp"
#include "grayd/config_file.hpp"

namespace gray::master {

class Master;

/// `next` is the open program. Returns only if it failed, with the phase and why; then all is as before. Outside of
/// every handler of the loop, signals held.
std::string hand_over(Master& master, ConfigFile& file, int next);

/// The rest of grayd's life in the image that follows; returns its exit code. `objection` is called when all has been
/// read, and may throw: then it goes back, too.
int run_resumed(const ResumeArguments& arguments, const std::function<void()>& objection = [] {});

/// The arguments by which a program follows this one.
std::vector<std::string> resume_arguments(const ResumeArguments& arguments);

}  // namespace gray::master
