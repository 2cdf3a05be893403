#pragma once
// How many descriptors may be open. grayd takes all that it may have; its workers keep what it was started with.
#include <sys/resource.h>
#include <sys/types.h>

namespace gray::master {

/// Raises the soft limit to the hard one; returns what it was.
rlim_t raise_file_limit();

/// Gives the process `soft`: select(2) and arrays sized by the limit break at large ones.
void set_file_limit(pid_t pid, rlim_t soft);

}  // namespace gray::master
