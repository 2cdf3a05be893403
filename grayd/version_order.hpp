#pragma once
// What an operator may order of a version, given what it does now. Pure: facts in, a verdict out.
//
// Whoever ends the stable version, one that has users, or one that is being restarted, must say that he means it.
#include <string>
#include <string_view>
#include <vector>

#include "config/base/exit_code.hpp"
#include "config/settings/settings.hpp"
#include "config/shared/version_view.hpp"
#include "control/state/state_store.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::master {

enum class Order : std::uint8_t { start, stop, restart, drain };

control::Verb verb_of(Order order);
std::string_view name(Order order);

struct OrderVerdict {
  ExitCode code = ExitCode::ok;
  std::string error;    // not ok: one line, what is in the way and what to do
  std::string confirm;  // not empty: it is refused only because nobody said "yes"; what he would agree to
};

struct Ordered {
  Order order;
  std::string service, version;
  bool yes = false;
};

OrderVerdict judge_order(const Ordered& ordered, const Settings& settings, const control::State& state,
                         const std::vector<VersionView>& views);

}  // namespace gray::master
