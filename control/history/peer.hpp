#pragma once
// The process and the user in the name of an actor.
#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>

namespace gray::control {

struct Peer {
  pid_t pid = 0;
  uid_t uid = 0;
  bool operator==(const Peer&) const = default;
};

/// Of "pid 4711, uid 1000"; nothing for other actors, such as "grayd".
std::optional<Peer> peer_in(std::string_view actor);

/// The name of the user; empty if they have none. It may read files and ask a server, so never on the main thread.
std::string user_name(uid_t uid);

}  // namespace gray::control
