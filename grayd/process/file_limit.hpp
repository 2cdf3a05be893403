#pragma once
// The limit of open descriptors: grayd raises its own to the maximum; workers get the limit that grayd was started
// with.
#include <sys/resource.h>
#include <sys/types.h>

namespace gray::master {

/// Raises the soft limit to the hard one; returns the previous soft limit.
rlim_t raise_file_limit();

/// Sets the soft limit of a process: select(2) and arrays sized by the limit fail with large ones.
void set_file_limit(pid_t pid, rlim_t soft);

}  // namespace gray::master
