#pragma once
// A seccomp filter: a router and the guard can make only the system calls that their code needs. A program that takes
// over such a process can then open no file, start no program, signal no other process and use little of the kernel.
//
//  - Any other call fails with EPERM. The process is not killed: a rare call of a library that is missing here must not
//    end the traffic.
//  - Calls for each request are allowed whatever their arguments are, so that the kernel (5.11 and later) allows them
//    by a bitmap and does not run the filter.
//  - Memory that is both new and executable is refused, as are new processes and namespaces.
#include <string>

namespace gray::master {

enum class ProcessKind { router, guard };

/// For this process with all its threads; it cannot be undone. no_new_privs must be set. Returns an empty text, or for
/// people what failed.
std::string limit_system_calls(ProcessKind kind);

}  // namespace gray::master
