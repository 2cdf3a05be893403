#include "grayd/routers/router_user.hpp"

#include <fmt/core.h>

#include <stdexcept>

#include "supervisor/process/credentials.hpp"

namespace gray::master {

std::optional<UserIds> router_user(const std::string& name) {
  if (!supervisor::may_change_user()) return std::nullopt;
  for (const char* const candidate : kDefaultRouterUsers) {
    const auto user = supervisor::find_user(name.empty() ? candidate : name);
    if (user) return UserIds{user->uid, user->gid};
    if (!name.empty()) throw std::runtime_error(fmt::format("there is no user \"{}\" on this host", name));
  }
  throw std::runtime_error("there is neither a user \"grayd\" nor a user \"nobody\" on this host; set [router] user");
}

}  // namespace gray::master
