#pragma once
// The life of an image of grayd that continues another one: grayd/handoff/self_exec.hpp reads what that wrote, and the
// master is made of it.
#include <functional>

#include "grayd/process/command_line.hpp"

namespace gray::master {

/// The rest of grayd's life; returns its exit code. `objection` is called when all has been read, and may throw: then
/// it goes back to the image before.
int run_resumed(const ResumeArguments& arguments, const std::function<void()>& objection = [] {});

}  // namespace gray::master
