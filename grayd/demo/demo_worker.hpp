#pragma once
// The service of the demo: `grayd demo-worker`, started by grayd as a worker. It listens on HOST and PORT, writes
// READY=1 to GRAY_READY_FD and answers every request with one line. A file in its folder breaks it
// (config/base/demo_place.hpp); GET /healthz is never broken, so only the users' answers show it.
#include <string>

namespace gray::demo {

/// What a request meets.
enum class Fault { none, error, late, crash };
Fault fault_of(const std::string& text_of_file);

/// Returns the exit code. A process that grayd has not started is told so, 2.
int run_worker();

}  // namespace gray::demo
