#pragma once
// The user that a worker runs as. Looked up before the fork, because the lookup may take locks; applied by the child.
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace gray::supervisor {

struct Credentials {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // all, including the primary group
  std::string name, home;
  std::string shell = {};

  template <class Io>
  void archive(Io& io) {
    io("uid", uid);
    io("gid", gid);
    io("groups", groups);
    io("name", name);
    io("home", home);
    io("shell", shell);
  }
};

/// A user of this host by name; nothing if there is none.
std::optional<Credentials> find_user(const std::string& name);

/// "user nobody (uid 65534)", or "uid 4711" if the user has no name. For people.
std::string describe_user(uid_t uid);

/// Whether this process may take on another user's credentials.
bool may_change_user();

/// In the child, async-signal-safe; 0, or the errno of the call that failed.
int take_on(const Credentials& credentials);

}  // namespace gray::supervisor
