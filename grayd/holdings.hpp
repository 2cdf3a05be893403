#pragma once
// What the master holds for all its life, and the image that continues it after it: the state folder, the shared
// segment, the public sockets, the access log, the admin socket. What an earlier grayd left behind is dead before
// anything is taken.
#include <string>

#include "config/base/restored.hpp"
#include "config/base/unique_fd.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/segment.hpp"
#include "control/state/state_store.hpp"
#include "grayd/activated_sockets.hpp"
#include "grayd/listeners.hpp"
#include "grayd/routers/router_spawn.hpp"

namespace gray::master {

struct Holdings {
  /// Throws std::runtime_error with a line for people.
  Holdings(const Settings& settings, ActivatedSockets given);
  /// Nothing so far.
  Holdings(const Settings& settings, Restored) : store(settings.state_dir, kRestored), admin_path(settings.admin) {}
  ~Holdings();  // removes the file of the admin socket
  Holdings(const Holdings&) = delete;
  Holdings& operator=(const Holdings&) = delete;

  template <class Io>
  void archive(Io& io);
  /// What the last grayd on the state folder had decided; nothing if resumed.
  control::State state();
  /// Clients may come. Throws std::runtime_error if another program took an address meanwhile.
  void listen();
  /// Where clients come in, for people.
  std::string text() const;
  /// Borrows.
  RouterCommand router_command() const;

  control::StateStore store;
  std::string instance;  // the name that the workers carry; empty if resumed: the supervisor has it
  segment::Segment segment;
  Listeners listeners, proxied, metrics;
  UniqueFd access_log;
  std::string admin_path;
  UniqueFd admin;
};

}  // namespace gray::master
