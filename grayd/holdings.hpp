#pragma once
// The resources that the master holds for its whole life and hands over to the next image: the state folder, the shared
// segment, the public sockets, the access log, the admin socket.
//
//  Invariant: processes that an earlier grayd left behind are killed before any other resource is taken.
#include <string>

#include "config/base/restored.hpp"
#include "config/base/unique_fd.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/segment.hpp"
#include "control/state/state_saver.hpp"
#include "control/state/state_store.hpp"
#include "grayd/activated_sockets.hpp"
#include "grayd/listeners.hpp"
#include "grayd/routers/router_spawn.hpp"

namespace gray::master {

struct Holdings {
  /// Throws std::runtime_error with a line for people.
  Holdings(const Settings& settings, ActivatedSockets given);
  /// Empty until archive(Load&).
  Holdings(const Settings& settings, Restored) : store(settings.state_dir, kRestored), admin_path(settings.admin) {}
  ~Holdings();  // removes the file of the admin socket
  Holdings(const Holdings&) = delete;
  Holdings& operator=(const Holdings&) = delete;

  template <class Io>
  void archive(Io& io);
  /// The state that the last grayd on the state folder saved, without what does not apply to `settings`, which is also
  /// dropped from the file; empty if resumed. Its deployed versions are added to `settings`.
  control::State state(Settings& settings);
  /// Starts to accept clients. Throws std::runtime_error if another program took an address meanwhile.
  void listen();
  /// A new admin socket at its path, with the same descriptor. Throws std::runtime_error.
  void restore_admin();
  /// The public addresses, for people.
  std::string text() const;
  /// Its descriptors are borrowed.
  RouterCommand router_command() const;

  control::StateStore store;
  control::StateSaver saver{store};  // all saves
  std::string instance;              // the name in the workers' environment; empty if resumed: the supervisor has it
  segment::Segment segment;
  Listeners listeners, secured, proxied, metrics, dashboard;
  UniqueFd access_log;
  std::string admin_path;
  UniqueFd admin;
};

}  // namespace gray::master
