#include "control/traffic/publisher.hpp"

#include <random>

#include "config/base/archive.hpp"
#include "control/traffic/table_builder.hpp"

namespace gray::control {
namespace {

std::vector<std::shared_ptr<const Allowlist>> allowlists_of(const Settings& settings, const RoutingTable& table) {
  std::vector<std::shared_ptr<const Allowlist>> lists;
  for (const ServiceRoute& route : table.services)
    if (route.allowlist.count > 0) lists.push_back(settings.service(route.name)->allowlist_source.table);
  return lists;
}

}  // namespace

std::uint64_t random_issue_seed() {
  std::random_device random;
  return static_cast<std::uint64_t>(random()) << 32 | random();
}

std::uint64_t Publisher::publish(const std::vector<VersionView>& views) {
  auto table = build_table(settings_, live_.published(), views, rows_);
  table.issue_seed = issue_seed_;
  table.number = last_.number;
  if (table == last_ && last_.number > 0) return last_.number;
  ++table.number;
  routers_.publish(table, allowlists_of(settings_, table));
  last_ = std::move(table);
  return last_.number;
}

template <class Io>
void Publisher::archive(Io& io) {
  io("issue_seed", issue_seed_);
  io("last", last_);
}
template void Publisher::archive(Save&);
template void Publisher::archive(Load&);

}  // namespace gray::control
