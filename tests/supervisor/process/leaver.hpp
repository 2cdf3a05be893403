#pragma once
// For tests: a process that leaves a different one behind.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <functional>
#include <string>

#include "config/base/time.hpp"
#include "supervisor/process/cgroup.hpp"
#include "supervisor/process/spawn.hpp"

namespace gray::supervisor {

inline bool within(Duration limit, const std::function<bool()>& done) {
  for (const TimePoint end = Clock::now() + limit; Clock::now() < end; ::poll(nullptr, 0, 2))
    if (done()) return true;
  return done();
}

/// A leader that leaves a grandchild in a different session, which ignores SIGTERM, and ends.
inline Spawned start_leaver(const std::string& instance, const Cgroup* cgroup) {
  const UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const UniqueFd procs = cgroup ? cgroup->open_procs() : UniqueFd();
  const SpawnPlan plan{{"/bin/sh"},
                       {"sh", "-c", "setsid sh -c 'trap \"\" TERM; sleep 100' & sleep 0.2"},
                       {"PATH=/usr/bin:/bin", "GRAY_INSTANCE=" + instance, "GRAY_GENERATION=5"},
                       "/",
                       {null.get(), null.get(), null.get()},
                       procs.get()};
  int error = 0;
  auto spawned = spawn(plan, error);
  REQUIRE(spawned);
  return std::move(*spawned);
}

inline std::string fresh_instance() {
  return "test-" + std::to_string(::getpid()) + "-" + std::to_string(Clock::now().time_since_epoch().count());
}

}  // namespace gray::supervisor
