#pragma once
// How many descriptors may be open. grayd takes all that it may have; its workers keep what it was started with.
#include <sys/resource.h>

namespace gray::master {

/// Raises the soft limit to the hard one; returns what it was.
rlim_t raise_file_limit();

}  // namespace gray::master
