#pragma once
// Starts the first version once, without users, to see whether the configuration works. The process is a grayd of its
// own, started from the same executable, with everything that it writes in a temporary folder. Its listeners are unix
// sockets there, so no other program is in its way, and nobody else can reach it.
//
// What was started ends with the trial (grayd/process/temporary_grayd.hpp). SIGINT, SIGTERM and SIGHUP end the trial
// early, in the same way.
#include <string>

#include "grayd/init/observation.hpp"
#include "grayd/init/plan.hpp"

namespace gray::init {

struct TrialOrder {
  const Plan& plan;
  std::string service, folder;  // of the project, absolute
  std::string program;          // the grayd to run
  Duration limit;
};

/// Throws std::system_error if there is no temporary folder or no process.
Observation run_trial(const TrialOrder& order);

}  // namespace gray::init
