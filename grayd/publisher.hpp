#pragma once
// Makes and numbers routing tables. A number never comes twice; a table that says what the last one said is not sent
// again.
#include "config/settings/settings.hpp"
#include "config/shared/routing_table.hpp"
#include "config/shared/version_view.hpp"
#include "grayd/live_state.hpp"
#include "grayd/routers/routers.hpp"
#include "grayd/rows.hpp"

namespace gray::master {

std::uint64_t random_issue_seed();

class Publisher {
 public:
  /// `issue_seed` goes into every table: see RoutingTable.
  Publisher(const Settings& settings, const LiveState& live, const Rows& rows, Routers& routers,
            std::uint64_t issue_seed)
      : settings_(settings), live_(live), rows_(rows), routers_(routers), issue_seed_(issue_seed) {}

  /// Sends the table that `views` make, if it differs from the last; returns the number of the one that holds now.
  std::uint64_t publish(const std::vector<VersionView>& views);
  std::uint64_t number() const { return last_.number; }
  /// Every living router routes by the newest table.
  bool settled() const { return routers_.all_applied(last_.number); }

  template <class Io>
  void archive(Io& io);

 private:
  const Settings& settings_;
  const LiveState& live_;
  const Rows& rows_;
  Routers& routers_;
  std::uint64_t issue_seed_;
  RoutingTable last_;  // number 0: none yet
};

}  // namespace gray::master
