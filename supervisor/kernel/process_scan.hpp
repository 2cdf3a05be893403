#pragma once
// Which processes belong to which worker where there are no cgroups: by a look at all processes of the host, which
// costs the same for one worker and for all. Within a turn of the loop one look serves every worker.
//
// A look of this turn may be older than the question. A process that is not in it was forked since by one that is: so
// "there is none" stays true, and who waits for the end of those in it looks again afterwards.
#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/kernel/process_table.hpp"

namespace gray::supervisor {

class ProcessScan {
 public:
  /// Until the end of the turn the first look is kept. Outside of a turn every question looks anew.
  void begin_turn() {
    forget();
    in_turn_ = true;
  }
  void end_turn();
  /// What was seen in this turn is old.
  void forget() { look_.reset(); }

  /// Living processes of a session, and those with both assignments ("NAME=value") in their environment.
  std::vector<pid_t> members(pid_t session, const std::string& instance, const std::string& generation);
  /// Living processes of a process group.
  std::vector<pid_t> group(pid_t group);
  /// How often all processes were looked at.
  std::uint64_t looks() const { return looks_; }

 private:
  struct Look {
    std::multimap<pid_t, pid_t> sessions, groups;
    std::vector<pid_t> pids;
    std::map<std::string, std::multimap<std::string, pid_t>> marked;  // by instance, by generation; once asked for
  };
  Look& look();
  static std::multimap<std::string, pid_t> marked_of(const std::vector<pid_t>& pids, const std::string& instance);

  std::optional<Look> look_;
  bool in_turn_ = false;
  std::uint64_t looks_ = 0;
};

}  // namespace gray::supervisor
