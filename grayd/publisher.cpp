#include "grayd/publisher.hpp"

#include "grayd/table_builder.hpp"

namespace gray::master {

std::uint64_t Publisher::publish(const std::vector<supervisor::VersionView>& views) {
  auto table = build_table(settings_, live_.published(), views, rows_);
  table.issue_seed = issue_seed_;
  table.number = last_.number;
  if (table == last_ && last_.number > 0) return last_.number;
  ++table.number;
  routers_.publish(table);
  last_ = std::move(table);
  return last_.number;
}

}  // namespace gray::master
