#pragma once
// What is wrong with the workers of a version, as processes. Pure.
#include "grayd/doctor/checkup.hpp"
#include "grayd/doctor/facts.hpp"

namespace gray::doctor {

/// Adds to each check of workers: port, open-listener, ready, process, restarts.
void check_workers(const Facts& facts, Checkup& out);

/// Whether a program only starts another one and waits for it: a package manager or a shell.
bool is_launcher(const std::string& name);

}  // namespace gray::doctor
