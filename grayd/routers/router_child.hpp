#pragma once
// The hidden router mode: gives up all privileges, then starts the router with the inherited descriptors. It is still
// root when it is executed, because its user need not have access to the program's file.
#include "grayd/process/command_line.hpp"

namespace gray::master {

/// Runs the router in this process; returns its exit code.
int run_router_child(const RouterArguments& arguments);

}  // namespace gray::master
