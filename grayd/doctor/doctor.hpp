#pragma once
// `grayd doctor`: asks a running grayd, looks at its processes and its host, and says what to correct. Changes nothing.
#include "grayd/process/command_line.hpp"

namespace gray::doctor {

/// Returns the exit code: 0 nothing found (hints do not count), 1 something was, or that of the failure to ask.
int run_doctor(const master::DoctorArguments& arguments);

}  // namespace gray::doctor
