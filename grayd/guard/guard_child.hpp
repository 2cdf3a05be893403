#pragma once
// The guard process: nothing of the workers survives the master, although the routers must not be able to signal them.
// It reads the workers' process groups from a pipe whose only write end the master holds: a positive number adds a
// group, a negative one removes it. At the end of the pipe the master is dead: it kills the groups and the workers'
// cgroup, which also contains processes that left their group, and ends. It opens the cgroup's file at its start, and
// then gives up everything except for the right to signal.
//
// The list is not in the shared segment, because routers write there: a compromised router could make it kill any
// process of the host.
#include "grayd/process/command_line.hpp"

namespace gray::master {

/// Runs the guard in this process; returns its exit code.
int run_guard(const GuardArguments& arguments);

}  // namespace gray::master
