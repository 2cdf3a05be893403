#pragma once
// The pure parts of a reload: the live state, the values that must not change although the file differs, and the
// report.
#include <string>
#include <vector>

#include "config/settings/settings.hpp"
#include "config/settings/settings_diff.hpp"
#include "config/shared/event_record.hpp"
#include "config/shared/version_view.hpp"
#include "control/daemon.hpp"
#include "control/state/service_state.hpp"

namespace gray::control {

std::vector<LiveService> live_services(const Settings& settings, const State& state,
                                       const std::vector<VersionView>& views);

/// The state after a reload. Removed services and versions are dropped. A stable version or weight that comes from the
/// old file is made explicit if the fresh file has a different one: values in a file are initial, and a reload moves no
/// user.
State state_after(const State& state, const Settings& old, const Settings& fresh);

/// Whether the changes need a new router.
bool needs_new_router(const Changes& changes);

/// The result of a reload of `file`, for the event log.
EventRecord reload_event(const Reply& reply, const std::string& file);

/// The warnings about the file in the reply to a reload, for the log: "g.toml:7:10: warning: ...", without the text of
/// the file that is quoted below each.
std::vector<std::string> warning_lines(const Reply& reply);

/// "version web v2: rolling restart". `stopped`: an operator stopped the version, and it stays stopped.
std::string text_of(const Change& change, bool stopped = false);

}  // namespace gray::control
