#pragma once
// An image of grayd that replaces an earlier one: creates the master from the handed-over state
// (grayd/handoff/self_exec.hpp) and runs it.
#include <functional>

#include "grayd/process/command_line.hpp"

namespace gray::master {

/// Runs grayd until its end; returns its exit code. `objection` is called when everything has been read; if it throws,
/// the process returns to the previous image.
int run_resumed(const ResumeArguments& arguments, const std::function<void()>& objection = [] {});

}  // namespace gray::master
