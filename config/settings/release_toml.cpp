#include "config/settings/release_toml.hpp"

#include "config/base/diagnostics.hpp"
#include "config/settings/release.hpp"
#include "config/settings/version_toml.hpp"

namespace gray {
namespace {

constexpr std::uint32_t kMostKept = 16;
constexpr std::size_t kLongestVersion = 64;  // bytes of a name

std::string unknown_text(const std::string& word) {
  const std::string meant = did_you_mean(word, {"version"});
  return "\"{" + word + "}\" is not replaced" + (meant.empty() ? "; only {version} is" : ", did you mean {version}?") +
         ": write {{" + word + "}} for the text {" + word + "}";
}

void check_list(TomlReader& table, std::string_view key) {
  const auto items = table.texts(key);
  if (!items) return;
  for (const TomlReader::Item& item : *items)
    if (const auto word = unknown_placeholder(item.text)) table.error(*item.at, unknown_text(*word));
}

void check_text(TomlReader& table, std::string_view key, const std::string& text) {
  if (const auto word = unknown_placeholder(text)) table.error(key, unknown_text(*word));
}

/// The names of such a table are those of the user.
void check_map(TomlReader& parent, std::string_view key, const std::map<std::string, std::string>& texts) {
  TomlReader table(parent, key);
  for (const std::string& name : table.names())
    if (const auto found = texts.find(name); found != texts.end()) check_text(table, name, found->second);
}

void check_placeholders(TomlReader& table, const VersionSettings& form) {
  check_list(table, "command");
  std::string cwd;  // as written: the folder of the file is not searched
  table.text("cwd", cwd);
  check_text(table, "cwd", cwd);
  check_text(table, "user", form.user);
  check_map(table, "env", form.env);
  TomlReader health(table, "health");
  for (const char* rest : {"interval", "timeout", "rise", "fall"}) health.leave(rest);
  check_text(health, "path", form.health.path);
  check_text(health, "host", form.health.host);
  for (const char* text : {"path", "host"}) health.leave(text);
  check_map(health, "headers", form.health.headers);
}

/// With the longest name that a version can have.
void check_lengths(TomlReader& table, const ReleaseSettings& release) {
  const VersionSettings longest = instantiate(release, std::string(kLongestVersion, 'x'));
  const auto check = [&](std::string_view key, const std::string& text, std::size_t most) {
    if (text.size() > most)
      table.error(key, in_quotes(key) + " has " + std::to_string(text.size()) + " bytes with a version of " +
                           std::to_string(kLongestVersion) + " bytes: at most " + std::to_string(most) +
                           " are allowed");
  };
  check("cwd", longest.cwd, kMostFilePath);
  for (const std::string& part : longest.command) check("command", part, kMostText);
  check("health", longest.health.path, kMostPath);
}

}  // namespace

std::optional<ReleaseSettings> read_release(TomlReader& service, const std::string& name) {
  const std::size_t problems = service.file().problems.size();
  ReleaseSettings release;
  {
    TomlReader own(service, "release");
    if (!service.has("release") || service.file().problems.size() > problems) return std::nullopt;
    own.number("keep", release.keep, 0, kMostKept);
    own.duration("warm", release.warm, Duration{0});
    own.leave_rest();  // it is read as a version
  }
  TomlReader table(service, "release", "version");
  for (const char* key : {"keep", "warm"}) table.leave(key);
  release.form = read_version(table, "{version}");
  release.form.name.clear();
  if (KeyForm* const form = table.form("weight")) form->refused = true;
  if (table.has("weight"))
    table.error("weight",
                "a deployed version begins without users: remove the weight, and after the deploy: grayctl "
                "shift " +
                    name + " VERSION PERCENT");
  if (service.file().problems.size() > problems) return release;
  check_placeholders(table, release.form);
  check_lengths(table, release);
  return release;
}

RolloutSettings read_rollout(TomlReader& service) {
  RolloutSettings rollout;
  TomlReader table(service, "rollout");
  if (KeyForm* const form = table.form("steps")) {
    form->kind = KeyForm::Kind::percents;
    form->fewest_items = 1;
    form->most_items = RolloutSettings::kMaxSteps;
    form->fallback = rollout.steps;
  }
  if (const auto steps = table.numbers("steps", RolloutSettings::kMaxSteps)) {
    rollout.steps.clear();
    if (steps->empty()) table.error("steps", "the list is empty: name a percentage, or remove the key for the default");
    for (const auto& [percent, at] : *steps) {
      if (!(percent > 0 && percent <= 100))
        table.error(*at, "a step is a percentage above 0 and up to 100");
      else if (!rollout.steps.empty() && percent <= rollout.steps.back())
        table.error(*at, "each step must be larger than the one before it");
      rollout.steps.push_back(percent);
    }
  }
  table.duration("hold", rollout.hold);
  table.duration("latency", rollout.latency);
  return rollout;
}

}  // namespace gray
