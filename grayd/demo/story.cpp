#include "grayd/demo/story.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/base/demo_place.hpp"
#include "grayd/demo/demo_plan.hpp"

namespace gray::demo {
namespace {

constexpr Duration kRateWindow{3'000};

double seconds_between(WallTime begin, WallTime end) {
  return std::max(0.0, std::chrono::duration<double>(end - begin).count());
}

std::string users_text(std::size_t users, const char* what) {
  return users == 0 ? fmt::format("no user {}", what) : fmt::format("{} user{} {}", users, users == 1 ? "" : "s", what);
}

bool has_ended(const std::string& state) { return state == "aborted" || state == "promoted" || state == "failed"; }

}  // namespace

Telling Story::look(const Sample& sample, const Tally& tally, TimePoint now) {
  counts_.emplace_back(now, tally.requests());
  while (counts_.front().first < now - kRateWindow) counts_.pop_front();
  tally_ = tally;
  if (!sample.answered) return {};
  before_ = std::exchange(now_, sample);
  Telling telling;
  if (sample.up && !up_since_) {
    up_since_ = now;
    telling.lines.push_back(fmt::format("both versions are up; {} has all users", sample.stable));
  }
  tell_break(telling);
  tell_weight(telling);
  tell_end(telling);
  give_order(telling, now);
  return telling;
}

void Story::tell_break(Telling& telling) {
  const Break& broken = now_.broken;
  if (broken.how == before_.broken.how) return;
  if (broken.how.empty()) {
    telling.lines.push_back(fmt::format("{} works again", kNew));
    telling.forgets_faults = true;
    return;
  }
  was_broken_ = true;
  last_break_ = broken;
  telling.lines.push_back(fmt::format("{} is broken: it {}", kNew, break_text(broken.how)));
}

void Story::tell_weight(Telling& telling) const {
  if (!before_.answered || now_.weight <= before_.weight || now_.stable != kOld) return;
  const bool stepping = now_.step > 0 && !has_ended(now_.state);
  const std::string step = stepping ? fmt::format("step {} of {}: ", now_.step, now_.steps) : "";
  telling.lines.push_back(fmt::format("{}{} gets {:g} % of the users", step, kNew, now_.weight));
}

void Story::tell_end(Telling& telling) const {
  if (!before_.answered) return;
  if (now_.stable != before_.stable) {
    if (now_.stable == kNew)
      telling.lines.push_back(
          fmt::format("{0} has all users: it is the stable version now; to go back: {1} undo {2}; "
                      "then again: {1} rollout start {2} {0}",
                      kNew, grayctl_, kService));
    else
      telling.lines.push_back(fmt::format("{} has all users again", now_.stable));
  }
  if (now_.state != before_.state && now_.state == "aborted") tell_abort(telling);
}

/// Who aborted it is in the reason.
void Story::tell_abort(Telling& telling) const {
  const VersionTally& met = tally_.of(kNew);
  const bool late = last_break_.how == "slow";
  const Faults& faults = late ? met.late : met.failed;
  const std::string hurt = users_text(faults.users.size(), late ? "had to wait" : "saw an error");
  if (now_.broken.how.empty()) {
    telling.lines.push_back(fmt::format("the rollout was aborted, {} has all users ({})", kOld, now_.reason));
  } else {
    const bool seen = faults.first.has_value();
    telling.lines.push_back(
        fmt::format("back on {}: {} was worse and has lost its users by itself, {:.1f} s after {}; {}", kOld, kNew,
                    seconds_between(seen ? *faults.first : last_break_.since, now_.since),
                    !seen  ? "it was broken"
                    : late ? "its first late answer"
                           : "its first failed answer",
                    hurt));
    telling.lines.push_back(fmt::format("reason: {}", now_.reason));
  }
  const std::string heal = now_.broken.how.empty() ? "" : fmt::format("{} demo heal {}, then: ", grayctl_, kNew);
  telling.lines.push_back(fmt::format("to try again: {}{} rollout retry {}", heal, grayctl_, kService));
}

void Story::give_order(Telling& telling, TimePoint now) {
  if (now_.state.empty() && up_since_ && now >= *up_since_ + kBefore) telling.order = Telling::Order::start;
  if (now_.state == "paused") stay_ = Stay::over;  // a person goes on from here
  const bool at_stay = now_.state == "holding" && now_.stable == kOld && now_.weight == kStay;
  if (!at_stay || was_broken_ || stay_ == Stay::over) return;
  if (stay_ == Stay::not_yet)
    telling.lines.push_back(fmt::format(
        "it stays there until {0} breaks: {1} demo break {0}; or to give it all users: {1} rollout resume {2}", kNew,
        grayctl_, kService));
  telling.order = Telling::Order::pause;
  stay_ = Stay::ordered;
}

double Story::requests_per_second() const {
  if (counts_.size() < 2) return 0;
  const double seconds = std::chrono::duration<double>(counts_.back().first - counts_.front().first).count();
  return seconds <= 0 ? 0 : static_cast<double>(counts_.back().second - counts_.front().second) / seconds;
}

std::string Story::live_line(std::size_t width) const {
  if (!now_.answered) return std::string("grayd is starting").substr(0, width);
  const double fresh = now_.stable == kNew ? 100 : now_.weight;
  std::string line = fmt::format("{:.0f} requests/s", requests_per_second());
  for (const char* name : {kOld, kNew})
    line += fmt::format(" | {} {:g} %, {} failed", name, name == kNew ? fresh : 100 - fresh,
                        tally_.of(name).failed.requests);
  if (now_.verdict != "none") line += fmt::format(" | {}", now_.verdict == "insufficient" ? "unclear" : now_.verdict);
  if (!now_.state.empty()) line += fmt::format(" | {}", now_.state);
  if (!now_.state.empty() && !has_ended(now_.state)) line += fmt::format(", step {} of {}", now_.step, now_.steps);
  if (!now_.broken.how.empty()) line += fmt::format(" | {} broken ({})", kNew, now_.broken.how);
  return line.substr(0, width);
}

}  // namespace gray::demo
