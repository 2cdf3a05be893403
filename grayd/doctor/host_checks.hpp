#pragma once
// What operators forget on the host: limits, memory, disks, the program on disk, the clock, permissions. Pure.
#include "grayd/doctor/checkup.hpp"
#include "grayd/doctor/facts.hpp"

namespace gray::doctor {

/// Adds to the checks config, files, memory, program, clock, admin-socket, disk and log.
void check_host(const Facts& facts, Checkup& out);

/// Descriptors that a router needs for its clients and its workers.
std::uint64_t needed_files(const Facts& facts);

}  // namespace gray::doctor
