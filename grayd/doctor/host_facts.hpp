#pragma once
// The facts that only the host has: /proc, the files of grayd, limits, disks. Each one that this user may not see stays
// nothing, and has its reason in Facts::unseen.
#include "config/settings/settings.hpp"
#include "grayd/doctor/facts.hpp"

namespace gray::doctor {

/// `settings`: of the file of the running grayd, if it could be read.
void look_at_host(Facts& facts, const std::string& program, const Settings* settings);

/// The name by which a process is known, from its arguments: of `node /usr/bin/yarn start` yarn, of `npm start` npm.
/// Pure.
std::string program_name(const std::string& command_line, const std::string& process_name);

}  // namespace gray::doctor
