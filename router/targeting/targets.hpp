#pragma once
// The rules, the allowlist and the networks of one service, ready for use: shared by all threads and, while they do not
// change, by the routing tables that follow each other.
#include <memory>

#include "config/base/network_set.hpp"
#include "router/targeting/allowlist_table.hpp"
#include "router/targeting/rule_index.hpp"

namespace gray::targeting {

struct Targets {
  std::shared_ptr<const RuleIndex> rules;                // null: there are none
  std::shared_ptr<const AllowlistTable> users;           // null: there is no allowlist
  std::shared_ptr<const NetworkSet> override_from = {};  // null: it is made with the policy
};

}  // namespace gray::targeting
