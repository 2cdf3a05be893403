#pragma once
// One version under supervision: its group, which decides, its workers, which carry out, and what was told of it.
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "supervisor/version_group.hpp"
#include "supervisor/worker.hpp"

namespace gray::supervisor {

struct Version {
  Version(std::string service_name, std::string version_name, std::uint64_t seed)
      : service(std::move(service_name)), name(std::move(version_name)), group(seed) {}

  std::string service, name;
  VersionGroup group;
  std::map<unsigned, std::unique_ptr<Worker>> workers;     // of slots that were started at least once
  std::deque<std::pair<std::string, OutputTail>> retired;  // what workers of slots that are gone wrote, by id
  std::string failure, failure_cause;                      // of the last one: text, and one word or two
  std::string rolled_back;                                 // text of the failure that stopped the last replacement
  bool failed = false;                                     // likewise
  bool crashing = false;                                   // likewise
  bool replacing = false;                                  // likewise
  bool forget = false;                                     // once it is empty
};

}  // namespace gray::supervisor
