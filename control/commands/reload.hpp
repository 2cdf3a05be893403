#pragma once
// The pure parts of a reload: what is true now, what must not change although the file says otherwise, and what is
// told.
#include <string>
#include <vector>

#include "config/settings/settings.hpp"
#include "config/settings/settings_diff.hpp"
#include "config/shared/event_record.hpp"
#include "config/shared/version_view.hpp"
#include "control/daemon.hpp"
#include "control/state/state_store.hpp"

namespace gray::control {

std::vector<LiveService> live_services(const Settings& settings, const State& state,
                                       const std::vector<VersionView>& views);

/// The state that a reload leaves: without what is gone, and with a value for every stable and weight that holds only
/// because the old file proposed it and the fresh one proposes another. A file's weight is initial; a reload moves no
/// user.
State state_after(const State& state, const Settings& old, const Settings& fresh);

/// Whether a new router must take over for the changes to be in force.
bool needs_new_router(const Changes& changes);

/// What became of a reload of `file`, for the event log.
EventRecord reload_event(const Reply& reply, const std::string& file);

/// "version web v2: rolling restart", for people. `stopped`: an operator stopped the version, and it stays so.
std::string text_of(const Change& change, bool stopped = false);

}  // namespace gray::control
