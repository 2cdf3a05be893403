#include "control/verbs/verb_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace gray::control {
namespace {

using nlohmann::json;
using enum AnsweredBy;
using Type = ArgumentType;

constexpr Argument kHealth[] = {{"service", Type::text}};
constexpr Argument kEvents[] = {{"after", Type::whole},
                                {"count", Type::whole},
                                {"wait_ms", Type::whole},
                                {"service", Type::text},
                                {"version", Type::text}};
constexpr Argument kLogs[] = {{"after", Type::whole},  {"count", Type::whole},  {"wait_ms", Type::whole},
                              {"service", Type::text}, {"version", Type::text}, {"worker", Type::text}};
constexpr Argument kHistory[] = {{"service", Type::text}, {"version", Type::text}, {"id", Type::whole},
                                 {"since", Type::text},   {"after", Type::whole},  {"count", Type::whole}};
constexpr Argument kShift[] = {
    {"service", Type::text, true}, {"version", Type::text, true}, {"percent", Type::number, true}, {"yes", Type::flag}};
constexpr Argument kOrder[] = {{"service", Type::text, true}, {"version", Type::text, true}, {"yes", Type::flag}};
constexpr Argument kDeploy[] = {
    {"service", Type::text, true}, {"version", Type::text, true}, {"env", Type::texts}, {"rollout", Type::flag}};
constexpr Argument kUndo[] = {{"service", Type::text, true}, {"to", Type::text}, {"undo_timeout_ms", Type::whole}};
constexpr Argument kUpgrade[] = {{"of", Type::text, true}, {"binary", Type::text}, {"timeout_ms", Type::whole}};

constexpr Argument kServiceName{"service", Type::text, true, "as in the configuration"};
constexpr Argument kRolloutOf[] = {kServiceName};
constexpr Argument kRolloutStart[] = {
    kServiceName,
    {"version", Type::text, true, "a version that is not stable"},
    {"steps", Type::text, false, "percentages that rise, such as 1,5,25,50,100"},
    {"hold", Type::text, false, "time at each step, such as 2m"},
    {"salt", Type::text, false, "different users go first than in the release before"}};
constexpr Argument kRolloutPromote[] = {kServiceName, {"full", Type::flag, false, "make it stable now"}};
constexpr Argument kRolloutUndo[] = {kServiceName, {"to", Type::text, false, "one of the former stable versions"}};
constexpr Argument kRolloutAbort[] = {kServiceName,
                                      {"freeze", Type::flag, false, "keep the version running, without users"}};

constexpr Argument kWhy[] = {{"service", Type::text}, {"method", Type::text},  {"host", Type::text},
                             {"path", Type::text},    {"headers", Type::text}, {"client", Type::text}};
constexpr Argument kBucket[] = {{"service", Type::text, true}, {"version", Type::text}};

constexpr Argument kMemory[] = {{"of", Type::text}};

constexpr bool kChanges = true;
constexpr std::nullopt_t kNoEvent = std::nullopt;

constexpr VerbRow kRows[] = {
    {Verb::status, "status", grayd, "services, versions and workers"},
    {Verb::health, "health", grayd, "exit 0 if no version with users fails, else 1", !kChanges, kNoEvent, kHealth},
    {Verb::metrics,
     "metrics",
     grayd,
     "counters and durations as Prometheus text",
     !kChanges,
     kNoEvent,
     {},
     "  grayctl metrics | grep errors"},
    {Verb::events, "events", grayd, "what happened to workers, versions and grayd", !kChanges, kNoEvent, kEvents},
    {Verb::logs, "logs", grayd, "the output of the workers", !kChanges, kNoEvent, kLogs},
    {Verb::shift, "shift", grayd, "give a version a share of the users", kChanges, EventKind::shifted, kShift},
    {Verb::start, "start", grayd, "start a version that was stopped or has failed", kChanges, EventKind::command,
     kOrder},
    {Verb::restart, "restart", grayd, "replace the workers one after the other", kChanges, EventKind::command, kOrder},
    {Verb::drain, "drain", grayd, "end a version; requests in flight are answered", kChanges, EventKind::command,
     kOrder},
    {Verb::stop, "stop", grayd, "end a version; requests in flight are cut", kChanges, EventKind::command, kOrder},
    {Verb::deploy, "deploy", grayd, "start a version that is not in the file, without users", kChanges,
     EventKind::deployed, kDeploy},
    {Verb::promote, "promote", grayd, "give all users a version: it becomes the stable one", kChanges,
     EventKind::promoted, kOrder},
    {Verb::undo, "undo", grayd, "give all users the stable version before", kChanges, kNoEvent, kUndo},
    {Verb::remove, "remove", grayd, "drain and forget a version that was deployed", kChanges, EventKind::removed,
     kOrder},
    {Verb::upgrade, "upgrade", grayd, "replace grayd, or its router, without losing a request", kChanges,
     EventKind::command, kUpgrade},
    {Verb::reload, "reload", grayd, "apply a changed file, completely or not at all", kChanges, kNoEvent},
    {Verb::config_check, "config check", grayctl, "validate a file; needs no running grayd"},
    {Verb::completion, "completion", grayctl, "a script for Tab completion"},
    {Verb::version, "version", grayctl, "the version of grayctl"},
    {Verb::rollout_start, "rollout start", grayd, "give a version more users, step by step", kChanges, kNoEvent,
     kRolloutStart,
     "  grayctl rollout start web v2\n  grayctl rollout start web v2 --steps 1,5,25,50,100 --hold 2m\n"
     "It returns at once. Each step is held until the hold time is over and the judge\n"
     "has passed the version. A version that is worse than stable loses its users."},
    {Verb::rollout_status, "rollout status", grayd, "steps, verdict and figures; exit 6 after an abort", !kChanges,
     kNoEvent, kRolloutOf,
     "  grayctl rollout status web\n  grayctl rollout status web --watch\n"
     "  grayctl rollout status web --wait --timeout 30m\n"
     "With --wait and --watch the exit code says how it ended: 0 promoted, 6 aborted,\n"
     "1 failed, 5 not over in time; 3 if there was no rollout."},
    {Verb::rollout_pause, "rollout pause", grayd, "stay at the current step", kChanges, kNoEvent, kRolloutOf,
     "  grayctl rollout pause web\n"
     "The judge still takes the users away from a version that is worse than stable."},
    {Verb::rollout_resume, "rollout resume", grayd, "go on after a pause", kChanges, kNoEvent, kRolloutOf,
     "  grayctl rollout resume web\nThe hold time of the step begins anew."},
    {Verb::rollout_promote, "rollout promote", grayd, "to the next step without waiting", kChanges, kNoEvent,
     kRolloutPromote, "  grayctl rollout promote web\n  grayctl rollout promote web --full"},
    {Verb::rollout_abort, "rollout abort", grayd, "all users get the stable version, at once", kChanges, kNoEvent,
     kRolloutAbort,
     "  grayctl rollout abort web\n  grayctl rollout abort web --freeze\n"
     "It works in every state, also twice, and after a promotion it goes back."},
    {Verb::rollout_retry, "rollout retry", grayd, "begin an ended rollout again", kChanges, kNoEvent, kRolloutOf,
     "  grayctl rollout retry web"},
    {Verb::rollout_undo, "rollout undo", grayd, "the same as undo", kChanges, kNoEvent, kRolloutUndo,
     "  grayctl rollout undo web\n  grayctl rollout undo web --to 41"},
    {Verb::why, "why", grayd, "why a request got its version, or would get it", !kChanges, kNoEvent, kWhy},
    {Verb::bucket, "bucket", grayd, "which users a version has, now and at a planned weight", !kChanges, kNoEvent,
     kBucket},
    {Verb::plan, "plan"},
    {Verb::preview, "preview"},
    {Verb::hold, "hold"},
    {Verb::maintenance, "maintenance"},
    {Verb::report, "report"},
    {Verb::drill, "drill"},
    {Verb::history, "history", grayd, "who changed what, when and why", !kChanges, kNoEvent, kHistory},
    {Verb::memory, "memory", grayd, "where every byte of the router is, and who holds most", !kChanges, kNoEvent,
     kMemory},
    {Verb::top, "top", grayctl, "all versions on one screen, redrawn twice a second"},
    {Verb::demo_break, "demo break", grayctl, "let a version of a running grayd demo fail"},
    {Verb::demo_heal, "demo heal", grayctl, "end what demo break did"},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < std::size(kRows); ++i)
    if (kRows[i].verb != static_cast<Verb>(i)) return false;
  return std::size(kRows) == static_cast<std::size_t>(Verb::count);
}
static_assert(is_in_order(), "row_of takes the number of a verb as that of its row");

bool is_whole(const json& value) {
  if (value.is_number_integer()) return value.is_number_unsigned() || value >= 0;
  if (!value.is_string()) return false;
  const auto& digits = value.get_ref<const std::string&>();
  return !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
}

bool is_of(Type type, const json& value) {
  switch (type) {
    case Type::text: return value.is_string();
    case Type::number: return value.is_number();
    case Type::whole: return is_whole(value);
    case Type::flag: return value.is_boolean();
    case Type::texts:
      return value.is_object() && std::ranges::all_of(value, [](const json& one) { return one.is_string(); });
  }
  return false;
}

const char* words_for(Type type, bool several) {
  switch (type) {
    case Type::text: return several ? "strings" : "a string";
    case Type::number: return several ? "numbers" : "a number";
    case Type::whole: return several ? "whole numbers" : "a whole number";
    case Type::flag: return "true or false";
    case Type::texts: return "an object of strings";
  }
  return "";
}

/// "service, version (strings) and percent (a number)": a type follows the last of the arguments that have it.
std::string spoken(const std::vector<Argument>& arguments) {
  std::string text;
  std::size_t first = 0;  // first argument of one type
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const bool last = i + 1 == arguments.size();
    text += i == 0 ? "" : last ? " and " : ", ";
    text += arguments[i].name;
    if (!last && arguments[i + 1].type == arguments[i].type) continue;
    text += fmt::format(" ({})", words_for(arguments[i].type, i > first));
    first = i + 1;
  }
  return text;
}

std::string spoken(const VerbRow& row) {
  std::vector<Argument> needed, taken;
  for (const Argument& argument : row.arguments) (argument.required ? needed : taken).push_back(argument);
  std::string text(row.name);
  if (!needed.empty()) text += " needs " + spoken(needed);
  if (!taken.empty()) text += (needed.empty() ? " takes " : ", and takes ") + spoken(taken);
  return text;
}

}  // namespace

std::span<const VerbRow> verb_table() { return kRows; }

const VerbRow& row_of(Verb verb) { return kRows[static_cast<std::size_t>(verb)]; }

std::string_view name_of(Verb verb) { return row_of(verb).name; }

std::string path_name_of(Verb verb) {
  std::string name(name_of(verb));
  std::ranges::replace(name, ' ', '-');
  return name;
}

std::optional<Verb> daemon_verb(std::string_view name) {
  const auto* row = std::ranges::find_if(kRows, [name](const VerbRow& one) { return path_name_of(one.verb) == name; });
  if (row == std::end(kRows) || row->by != grayd) return std::nullopt;
  return row->verb;
}

std::string unknown_verb(std::string_view name) { return fmt::format("unknown verb \"{}\"; see grayctl --help", name); }

bool is_not_yet(std::string_view name) {
  const auto* row = std::ranges::find(kRows, name, &VerbRow::name);
  return row != std::end(kRows) && row->by == not_yet;
}

std::string arguments_error(Verb verb, const json& args) {
  const VerbRow& row = row_of(verb);
  const bool fits = std::ranges::all_of(row.arguments, [&](const Argument& argument) {
    const auto found = args.find(argument.name);
    return found == args.end() ? !argument.required : is_of(argument.type, *found);
  });
  return fits ? std::string() : spoken(row);
}

}  // namespace gray::control
