#pragma once
// The facts that the answers of the admin API and the settings of the file hold. Pure.
#include <nlohmann/json.hpp>

#include "config/settings/settings.hpp"
#include "grayd/doctor/facts.hpp"

namespace gray::doctor {

/// Of the answers of the verbs status and events. Members that are missing keep their defaults: a grayd of another
/// version may answer.
Facts facts_of(const nlohmann::json& status, const nlohmann::json& events);

/// What only the file says: limits, the ways to be ready, the budget. Adds no errors.
void add_settings(Facts& facts, const Settings& settings);

}  // namespace gray::doctor
