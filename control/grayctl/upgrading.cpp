#include "control/grayctl/upgrading.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <map>

#include "control/grayctl/watch.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr Duration kVerdict{2'000};  // extra time after the timeout: grayd gives up by then and reports the reason

/// Waits for the end of the replacement that has begun, and completes the reply with its record.
Outcome ended(Client& client, const Command& command, const Person& person, std::ostream& err, Answer begun) {
  const Awaited awaited{command.verb, command.part, {}, begun.body.at("upgrade").at("number")};
  if (!command.wait)
    return {std::move(begun), fmt::format("{} is in progress; see: grayctl status\n", subject(awaited))};
  Watched watched = watch(client, awaited, {err, person, command.timeout + kVerdict});
  if (watched.answer.code != ExitCode::ok) return {std::move(watched.answer), {}};
  for (const json& one : watched.answer.body.at("upgrades"))
    if (one.at("number") == awaited.number) begun.body["upgrade"] = one;
  return {std::move(begun), watched.text + "\n"};
}

/// The number of the last rolling restart of each version.
using Restarts = std::map<std::pair<std::string, std::string>, unsigned>;

Restarts restarts_in(const json& status) {
  Restarts numbers;
  for (const json& service : status.value("services", json::array()))
    for (const json& version : service.value("versions", json::array()))
      if (const auto last = version.find("restart"); last != version.end() && last->is_object())
        numbers[{service.value("name", ""), version.value("name", "")}] = last->value("number", 0u);
  return numbers;
}

/// Waits for the rolling restarts that began after `before`, one after the other; the first that fails ends the wait.
Outcome restarted(Client& client, const Command& command, const Person& person, std::ostream& err,
                  const Restarts& before, Outcome reloaded) {
  const Answer now = client.get("status");
  if (now.code != ExitCode::ok) return {now, {}};
  for (const auto& [name, number] : restarts_in(now.body)) {
    const auto earlier = before.find(name);
    if (earlier != before.end() && earlier->second == number) continue;
    const Awaited awaited{Verb::restart, name.first, name.second, number};
    Watched watched = watch(client, awaited, {err, person, command.timeout});
    if (watched.answer.code == ExitCode::ok) continue;
    watched.answer.error = "configuration reloaded, but " + watched.answer.error;
    return {std::move(watched.answer), {}};
  }
  return reloaded;
}

std::string warnings_of(const json& reloaded) { return reloaded.value("warnings", ""); }

std::string text_of_changes(const json& reloaded) {
  std::string text = "configuration reloaded\n";
  for (const json& change : reloaded.value("changes", json::array()))
    if (change.is_string()) text += fmt::format("  {}\n", change.get<std::string>());
  return text + warnings_of(reloaded);
}

}  // namespace

Outcome run_upgrade(Client& client, const Command& command, const Person& person, std::ostream& err) {
  json args = {{"of", command.part}, {"upgrade_timeout_ms", command.timeout.count()}};
  if (!command.binary.empty()) args["binary"] = std::filesystem::absolute(command.binary).lexically_normal().string();
  Answer begun = client.post("upgrade", args);
  if (begun.code != ExitCode::ok) return {std::move(begun), {}};
  return ended(client, command, person, err, std::move(begun));
}

Outcome run_reload(Client& client, const Command& command, const Person& person, std::ostream& err) {
  const json args = {{"wait", false}, {"upgrade_timeout_ms", command.timeout.count()}};
  Restarts before;
  if (command.wait_asked) before = restarts_in(client.get("status").body);
  Outcome outcome{client.post("reload", args), {}};
  if (outcome.answer.code == ExitCode::ok && outcome.answer.body.contains("upgrade")) {
    outcome = ended(client, command, person, err, std::move(outcome.answer));
    if (!command.wait) outcome.text += warnings_of(outcome.answer.body);
    if (!command.wait) return outcome;
  }
  if (outcome.answer.code != ExitCode::ok) return outcome;
  outcome.text = text_of_changes(outcome.answer.body);
  return command.wait_asked ? restarted(client, command, person, err, before, std::move(outcome)) : outcome;
}

}  // namespace gray::control
