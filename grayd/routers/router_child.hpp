#pragma once
// The hidden router mode: starts the router with the inherited descriptors.
#include "grayd/process/command_line.hpp"

namespace gray::master {

/// Runs the router in this process; returns its exit code.
int run_router_child(const RouterArguments& arguments);

}  // namespace gray::master
