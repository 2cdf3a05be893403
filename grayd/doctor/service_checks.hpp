#pragma once
// What is wrong with services, versions and the routers between them and their users. Pure.
#include "grayd/doctor/checkup.hpp"
#include "grayd/doctor/facts.hpp"

namespace gray::doctor {

/// Adds to the checks stable, canary, drift, router, proxy, backlog and those of other warnings of the status.
void check_services(const Facts& facts, Checkup& out);

}  // namespace gray::doctor
