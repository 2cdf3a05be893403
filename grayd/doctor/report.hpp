#pragma once
// All checks of the facts, and their result for people and for programs. Pure.
#include <string>

#include "grayd/doctor/checkup.hpp"
#include "grayd/doctor/facts.hpp"

namespace gray::doctor {

/// The findings by severity, the worst first.
Checkup examine(const Facts& facts);

/// Hints alone are no reason for another exit code than 0.
bool is_fine(const Checkup& checkup);

std::string report_text(const Facts& facts, const Checkup& checkup);
/// {"schema_version":1,"findings":[..],"passed":[..],"skipped":[..]}
std::string report_json(const Checkup& checkup);

}  // namespace gray::doctor
