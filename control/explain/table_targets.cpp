#include "control/explain/table_targets.hpp"

#include <memory>
#include <string>

#include "router/targeting/mapped_allowlist.hpp"

namespace gray::control {

targeting::Targets targets_of(const ServiceRoute& route, const Allowlist* list) {
  targeting::Targets targets;
  if (!route.rules.empty()) targets.rules = std::make_shared<const targeting::RuleIndex>(route.rules);
  if (list == nullptr || route.allowlist.count == 0) return targets;
  std::string error;
  const AllowlistHead head = Allowlist::head_of(list->fd(), error);
  if (head.slots == 0) return targets;
  targets.users = targeting::map_allowlist(list->fd(), head.slots, targeting::Pages::as_needed);
  return targets;
}

}  // namespace gray::control
