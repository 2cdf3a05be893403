#include "control/grayctl/history/entry_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/grayctl/rollouts.hpp"
#include "control/grayctl/table.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr std::size_t kLabel = 10;       // columns of the names of the values
constexpr std::size_t kWhatWidth = 16;   // of the longest
constexpr std::size_t kLeastWidth = 20;  // of a wrapped value

std::string word_of(const json& entry, const char* name) {
  const auto found = entry.find(name);
  return found != entry.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string number_of_entry(const json& entry, const char* name) {
  const auto found = entry.find(name);
  return found != entry.end() && found->is_number_integer() ? std::to_string(found->get<std::int64_t>()) : "";
}

/// "2026-11-23T17:04:45.123Z" as "11-23 17:04:45": still UTC.
std::string short_time(const json& entry) {
  const auto time = word_of(entry, "time");
  return time.size() == 24 ? time.substr(5, 5) + " " + time.substr(11, 8) : time;
}

const json* split_in_entry(const json& entry, const char* name) {
  const auto found = entry.find(name);
  return found != entry.end() && found->is_object() ? &*found : nullptr;
}

double share_in(const json& split, const std::string& version) {
  const auto weights = split.find("weights");
  if (weights == split.end() || !weights->is_object()) return 0;
  const auto found = weights->find(version);
  return found != weights->end() && found->is_number() ? found->get<double>() : 0;
}

/// "0 → 20%" of the version of the entry; "20%" if it was not changed.
std::string weight_words(const json& entry) {
  const auto version = word_of(entry, "version");
  const auto* before = split_in_entry(entry, "before");
  const auto* after = split_in_entry(entry, "after");
  if (version.empty() || before == nullptr || after == nullptr) return {};
  const double from = share_in(*before, version), to = share_in(*after, version);
  return from == to ? fmt::format("{:g}%", to) : fmt::format("{:g} → {:g}%", from, to);
}

/// "alice 4711": the user and the process; any other actor as it is.
std::string short_actor(const json& entry) {
  const auto uid = number_of_entry(entry, "uid"), user = word_of(entry, "user");
  if (uid.empty()) return word_of(entry, "actor");
  return (user.empty() ? "uid " + uid : user) + " " + number_of_entry(entry, "pid");
}

Colour colour_of_what(const std::string& what) {
  for (const std::string_view bad : {"rollout-abort", "alarm", "upgrade-failed", "reload-refused"})
    if (what == bad) return Colour::bad;
  return what == "rollout-promoted" || what == "promote" ? Colour::good : Colour::none;
}

/// "v1 80%, v2 20%".
std::string users_words(const json& split) {
  std::string words;
  const json weights = split.value("weights", json::object());
  for (const auto& [version, weight] : weights.items())
    if (weight.is_number())
      words += fmt::format("{}{} {:g}%", words.empty() ? "" : ", ", version, weight.get<double>());
  return words;
}

std::string labelled(const char* label, const std::string& words, const Terminal& terminal) {
  if (words.empty()) return {};
  std::string lines;
  const auto room = std::max(terminal.width - kLabel, kLeastWidth);
  for (const auto& line : wrap(harmless(words), room))
    lines += fmt::format("{:<{}}{}\n", lines.empty() ? label : "", kLabel, line);
  return lines;
}

/// "before → after", or one of them if they are the same.
std::string changed_words(const std::string& before, const std::string& after) {
  return before == after || before.empty() ? after : before + " → " + after;
}

}  // namespace

std::string view_entries(const json& entries, const Terminal& terminal) {
  if (entries.empty()) return "no changes\n";
  Table table({{"TIME (UTC)"},
               {"ID", 0, true},
               {"SERVICE", 4},
               {"VERSION", 4},
               {"WHAT", 8},
               {"WEIGHT"},
               {"WHO", 6},
               {"WHY", 8}},
              0);
  for (const json& entry : entries) {
    const auto what = word_of(entry, "what");
    table.add({short_time(entry),
               number_of_entry(entry, "id"),
               word_of(entry, "service"),
               word_of(entry, "version"),
               {what, colour_of_what(what)},
               weight_words(entry),
               short_actor(entry),
               word_of(entry, "reason")});
  }
  std::string view;
  for (const auto& line : table.lines(terminal)) view += line + "\n";
  return view;
}

std::string view_entry_line(const json& entry, const Terminal& terminal) {
  std::string words = fmt::format("{}  {:<{}}", short_time(entry), word_of(entry, "what"), kWhatWidth);
  for (const auto& word : {word_of(entry, "service"), word_of(entry, "version"), weight_words(entry)})
    if (!word.empty()) words += " " + word;
  words += ", by " + short_actor(entry);
  if (const auto reason = word_of(entry, "reason"); !reason.empty()) words += ": " + reason;
  return paint(cut(words, terminal.width), colour_of_what(word_of(entry, "what")), terminal.colour) + "\n";
}

std::string view_entry(const json& entry, const Terminal& terminal) {
  std::string title =
      fmt::format("{} {} {}", word_of(entry, "what"), word_of(entry, "service"), word_of(entry, "version"));
  title.erase(title.find_last_not_of(' ') + 1);
  std::string view =
      paint(fmt::format("#{}  {}", number_of_entry(entry, "id"), harmless(title)), Colour::bold, terminal.colour) +
      "\n";
  const auto user = word_of(entry, "user");
  view += labelled("time", word_of(entry, "time"), terminal);
  view += labelled("who", word_of(entry, "actor") + (user.empty() ? "" : ", user " + user), terminal);
  view += labelled("why", word_of(entry, "reason"), terminal);
  const auto* before = split_in_entry(entry, "before");
  const auto* after = split_in_entry(entry, "after");
  if (before != nullptr && after != nullptr) {
    view += labelled("stable", changed_words(word_of(*before, "stable"), word_of(*after, "stable")), terminal);
    view += labelled("users", changed_words(users_words(*before), users_words(*after)), terminal);
  }
  view += labelled("revision", number_of_entry(entry, "revision"), terminal);
  if (const auto* verdict = split_in_entry(entry, "verdict")) view += view_verdict(*verdict, terminal);
  return view;
}

}  // namespace gray::control
