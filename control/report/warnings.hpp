#pragma once
// What works, but probably not as the operator expects. A pure function of the state: a warning is there as long as its
// cause is. `status` shows all of them; the master logs each one that is new.
#include <string>
#include <vector>

#include "control/report/report_source.hpp"

namespace gray::control {

struct Warning {
  std::string cause;             // short, for programs: "listen-backlog"; never changes
  std::string service, version;  // empty: not about a specific one
  std::string text;              // one line, with what to do

  /// Two with the same name are about the same thing.
  std::string name() const { return cause + " " + service + " " + version; }
};

/// At most three for each version, one for each service, and one more.
std::vector<Warning> warnings(const ReportSource& source);

}  // namespace gray::control
