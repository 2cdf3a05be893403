#include "grayd/routers/router_user.hpp"

#include <fmt/core.h>

#include <stdexcept>
#include <vector>

#include "supervisor/process/credentials.hpp"

namespace gray::master {

std::optional<UserIds> router_user(const std::string& name) {
  if (!supervisor::may_change_user()) return std::nullopt;
  for (const std::string& candidate : name.empty() ? std::vector<std::string>{"grayd", "nobody"} : std::vector{name}) {
    if (const auto user = supervisor::find_user(candidate)) return UserIds{user->uid, user->gid};
  }
  if (!name.empty()) throw std::runtime_error(fmt::format("there is no user \"{}\" on this host", name));
  return kNobody;
}

}  // namespace gray::master
