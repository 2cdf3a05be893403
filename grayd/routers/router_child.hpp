#pragma once
// The hidden child mode: from inherited descriptors to the router, and what happens when the master is gone.
#include "grayd/process/command_line.hpp"

namespace gray::master {

/// Runs the router in this process; returns its exit code.
int run_router_child(const RouterArguments& arguments);

}  // namespace gray::master
