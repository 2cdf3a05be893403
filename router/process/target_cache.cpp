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

targeting::Targets TargetCache::targets_of(const ServiceRoute& service, const Places& places, const UniqueFd* list,
                                           std::string& error) const {
  static const targeting::Targets kNone;
  const auto found = places.find(service.name);
  const ServiceRoute* before = found == places.end() ? nullptr : &table_->services[found->second];
  const targeting::Targets& made = before == nullptr ? kNone : compiled_.targets[found->second];
  targeting::Targets targets;
  if (!service.rules.empty()) {
    targets.rules = before != nullptr && before->rules == service.rules
                        ? made.rules
                        : std::make_shared<const targeting::RuleIndex>(service.rules);
  }
  targets.override_from = before != nullptr && before->override_from == service.override_from
                              ? made.override_from
                              : std::make_shared<const NetworkSet>(service.override_from);
  if (list == nullptr) return targets;
  const bool same = made.users && before->allowlist.count == service.allowlist.count &&
                    before->allowlist.digest == service.allowlist.digest;
  targets.users = same ? made.users : map_allowlist(list->get(), service.allowlist, error);
  return targets;
}

/// The indices of the services count, too.
bool TargetCache::same_routes(const RoutingTable& table) const {
  return std::ranges::equal(table_->services, table.services, [](const ServiceRoute& a, const ServiceRoute& b) {
    return a.hosts == b.hosts && a.paths == b.paths;
  });
}

bool TargetCache::follow(std::shared_ptr<const RoutingTable> table, std::vector<UniqueFd> lists, std::string& error) {
  const auto has_list = [](const ServiceRoute& service) { return service.allowlist.count > 0; };
  if (static_cast<std::size_t>(std::ranges::count_if(table->services, has_list)) != lists.size()) {
    error = "its allowlists are not complete";
    return false;
  }
  Places places;
  for (std::size_t i = 0; i < table_->services.size(); ++i) places.emplace(table_->services[i].name, i);
  CompiledTable fresh;
  std::size_t next = 0;
  for (const ServiceRoute& service : table->services) {
    const UniqueFd* list = has_list(service) ? &lists[next++] : nullptr;
    fresh.targets.push_back(targets_of(service, places, list, error));
    if (list != nullptr && !fresh.targets.back().users) return false;
  }
  fresh.routes = compiled_.routes && same_routes(*table) ? compiled_.routes
                                                         : std::make_shared<const policy::RouteTable>(table->services);
  table_ = std::move(table);
  compiled_ = std::move(fresh);
  return true;
}

}  // namespace gray::proxy
