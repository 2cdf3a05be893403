#pragma once
// The figures as JSON and back: grayd writes them into each picture, `grayctl top` reads them. Pure. Fields are only
// added. What a different version of grayd does not write reads as zero or as empty.
//
//   {"schema_version", "time", "versions": [...], "daemon", "services": [...], "event", "line"}
#include <nlohmann/json.hpp>
#include <string>

#include "control/live/live_figures.hpp"

namespace gray::control {

/// `time` is RFC 3339 in whole seconds.
nlohmann::json figures_json(const TopView& view, const std::string& time);
TopView figures_in(const nlohmann::json& figures);

}  // namespace gray::control
