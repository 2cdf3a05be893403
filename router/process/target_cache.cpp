#include "router/process/target_cache.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "router/targeting/mapped_allowlist.hpp"

namespace gray::proxy {
std::shared_ptr<const targeting::AllowlistTable> map_allowlist(int fd, const AllowlistRef& expected,
                                                               std::string& error) {
  const AllowlistHead head = Allowlist::head_of(fd, error);
  if (head.slots == 0) return nullptr;
  if (head.count != expected.count || head.digest != expected.digest) {
    error = "an allowlist is not the one of its table";
    return nullptr;
  }
  auto mapped = targeting::map_allowlist(fd, head.slots, targeting::Pages::at_once);
  if (!mapped) error = "an allowlist cannot be mapped: " + std::generic_category().message(errno);
  return mapped;
}

targeting::Targets TargetCache::targets_of(const ServiceRoute& service, const UniqueFd* list,
                                           std::string& error) const {
  targeting::Targets targets;
  const auto found = known_.find(service.name);
  const Known* before = found == known_.end() ? nullptr : &found->second;
  if (!service.rules.empty()) {
    targets.rules = before != nullptr && before->rules == service.rules
                        ? before->targets.rules
                        : std::make_shared<const targeting::RuleIndex>(service.rules);
  }
  if (list == nullptr) return targets;
  const bool same = before != nullptr && before->targets.users && before->list.count == service.allowlist.count &&
                    before->list.digest == service.allowlist.digest;
  targets.users = same ? before->targets.users : map_allowlist(list->get(), service.allowlist, error);
  return targets;
}

bool TargetCache::follow(const RoutingTable& table, std::vector<UniqueFd> lists, std::string& error) {
  const auto has_list = [](const ServiceRoute& service) { return service.allowlist.count > 0; };
  if (static_cast<std::size_t>(std::ranges::count_if(table.services, has_list)) != lists.size()) {
    error = "its allowlists are not complete";
    return false;
  }
  ServiceTargets targets;
  std::size_t next = 0;
  for (const ServiceRoute& service : table.services) {
    const UniqueFd* list = has_list(service) ? &lists[next++] : nullptr;
    targets.push_back(targets_of(service, list, error));
    if (list != nullptr && !targets.back().users) return false;
  }
  known_.clear();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const ServiceRoute& service = table.services[i];
    if (targets[i].rules || targets[i].users) known_[service.name] = {service.rules, service.allowlist, targets[i]};
  }
  targets_ = std::move(targets);
  return true;
}

}  // namespace gray::proxy
