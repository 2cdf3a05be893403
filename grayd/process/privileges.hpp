#pragma once
// The rights of grayd's own processes. All functions change only the calling thread, so they are called before a thread
// is started.
//
//  - The master as root keeps the capabilities that starting and watching workers needs. Its bounding set is untouched:
//    a worker that runs as root gets root's usual capabilities by exec.
//  - Routers and the guard give up everything that they do not need, for good: no exec can give it back.
#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace gray::master {

struct UserIds {
  uid_t uid = 0;
  gid_t gid = 0;
  bool operator==(const UserIds&) const = default;
};

/// Capabilities as bits of <linux/capability.h>.
using Capabilities = std::uint64_t;
constexpr Capabilities capability(unsigned number) { return Capabilities{1} << number; }

/// Drops what the master does not need. Nothing happens if it is not root, or if no_new_privs is set: then an exec
/// could not give the dropped ones back to a worker, and the service manager has limited grayd already.
void keep_master_capabilities();
extern const Capabilities kMasterCapabilities;

/// In a child, before it executes this program as a router or guard: an exec by root gives it no more capabilities than
/// we have. Async-signal-safe. (An exec that gains some would also reset the personality, and with it `setarch -R`.)
void bound_to_own_capabilities();

/// Takes on `user` with no other group, if there is one; keeps only `kept` in all sets; sets no_new_privs; makes the
/// process undumpable, so that no other process of that user can trace it. Returns an empty text, or for people what
/// failed and what to do.
std::string drop_privileges(const std::optional<UserIds>& user, Capabilities kept);

}  // namespace gray::master
