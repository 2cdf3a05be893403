#pragma once
// Makes and numbers routing tables. No number is used twice; a table with the same content as the last one is not sent.
#include <memory>
#include <vector>

#include "config/settings/settings.hpp"
#include "config/shared/routing_table.hpp"
#include "config/shared/version_view.hpp"
#include "control/traffic/live_state.hpp"
#include "control/traffic/rows.hpp"

namespace gray::control {

std::uint64_t random_issue_seed();

/// The receivers of the tables.
class TableReceivers {
 public:
  virtual ~TableReceivers() = default;
  /// A complete new table; its number is higher than all before. `lists`: of each of its services with an allowlist, in
  /// their order.
  virtual void publish(const RoutingTable& table, const std::vector<std::shared_ptr<const Allowlist>>& lists) = 0;
  /// Whether all routers with clients use table `number` or a newer one.
  virtual bool all_applied(std::uint64_t number) const = 0;
};

class Publisher {
 public:
  /// `issue_seed` goes into every table: see RoutingTable.
  Publisher(const Settings& settings, const LiveState& live, const Rows& rows, TableReceivers& routers,
            std::uint64_t issue_seed)
      : settings_(settings), live_(live), rows_(rows), routers_(routers), issue_seed_(issue_seed) {}

  /// Sends the table for `views`, if it differs from the last; returns the number of the current table.
  std::uint64_t publish(const std::vector<VersionView>& views);
  std::uint64_t number() const { return last_.number; }
  const RoutingTable& last() const { return last_; }
  /// Whether every living router uses the newest table.
  bool settled() const { return routers_.all_applied(last_.number); }

  template <class Io>
  void archive(Io& io);

 private:
  const Settings& settings_;
  const LiveState& live_;
  const Rows& rows_;
  TableReceivers& routers_;
  std::uint64_t issue_seed_;
  RoutingTable last_;  // number 0: none yet
};

}  // namespace gray::control
