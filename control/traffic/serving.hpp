#pragma once
// What the views of the supervisor mean for the service as a whole. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "config/settings/settings.hpp"
#include "config/shared/version_view.hpp"
#include "control/state/state_store.hpp"

namespace gray::control {

const VersionView* view_of(const std::vector<VersionView>& views, std::string_view service, std::string_view version);

/// Whether a worker of the version may take requests now.
bool is_up(const VersionView* view);

/// Every service's stable is up, has failed its first start, or was stopped: the moment to accept clients. Before that
/// they would only meet a 503 that a moment of waiting avoids; after a failure they shall meet it instead of a refused
/// connection.
bool may_listen(const Settings& settings, const State& state, const std::vector<VersionView>& views);

/// The time that requests in flight have when a router or grayd ends: that of the most patient version.
Duration longest_drain(const Settings& settings);

/// One line that says why the stable version of the service cannot serve it; empty: it can.
std::string health_complaint(const ServiceSettings& service, const State& state, const std::vector<VersionView>& views);

}  // namespace gray::control
