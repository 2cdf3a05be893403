#include "control/grayctl/release.hpp"

#include <fmt/format.h>

#include "control/grayctl/orders.hpp"
#include "control/grayctl/rollouts.hpp"
#include "control/grayctl/watch.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr Duration kUndoVerdict{2'000};  // extra time after the timeout: grayd gives up by then and reports the reason

json named_in(const Command& command) { return {{"service", command.service}, {"version", command.version}}; }

const json* version_of(const json& status, const Command& command) {
  for (const json& service : status.at("services"))
    for (const json& version : service.at("versions"))
      if (service.at("name") == command.service && version.at("name") == command.version) return &version;
  return nullptr;
}

std::string next_steps(const Command& command) {
  const auto name = command.service + " " + command.version;
  return fmt::format(
      "no user gets it yet; next:\n"
      "  grayctl shift {0} 5    a share of the users\n"
      "  grayctl promote {0}    all users; back with: grayctl undo {1}\n"
      "  grayctl remove {0}     give it up\n",
      name, command.service);
}

/// "; undo goes back to 42": the removed version may have been the one.
std::string way_back(const json& removed, const std::string& service) {
  const auto found = removed.find("undo_to");
  if (found == removed.end()) return {};
  return found->is_string() ? fmt::format("; undo of {} goes back to {}", service, found->get<std::string>())
                            : fmt::format("; {} has no version that undo could go back to", service);
}

Outcome in_progress(Answer begun, const Awaited& awaited) {
  return {std::move(begun),
          fmt::format("{} is in progress; see: grayctl status {}\n", subject(awaited), awaited.service)};
}

json deploy_order(const Command& command) {
  json args = named_in(command);
  if (!command.env.empty()) args["env"] = command.env;
  return args;
}

}  // namespace

Outcome run_deploy(Client& client, const Command& command, const Person& person, std::ostream& err) {
  Answer begun = client.post("deploy", deploy_order(command));
  if (begun.code != ExitCode::ok) return {std::move(begun), {}};
  const Awaited awaited{Verb::deploy, command.service, command.version, 0};
  if (!command.wait) return in_progress(std::move(begun), awaited);
  Watched watched = watch(client, awaited, {err, person, command.timeout});
  if (watched.answer.code != ExitCode::ok) return {std::move(watched.answer), {}};
  if (const json* version = version_of(watched.answer.body, command)) {
    begun.body["state"] = version->value("state", "");
    begun.body["workers"] = version->value("workers", json::array());
  }
  return {std::move(begun), watched.text + "\n" + next_steps(command)};
}

Outcome run_deploy_with_rollout(Client& client, const Command& command, const Terminal& terminal, const Person& person,
                                std::ostream& err) {
  json args = deploy_order(command);
  args["rollout"] = true;
  Answer begun = client.post("deploy", args);
  if (begun.code != ExitCode::ok) return {std::move(begun), {}};
  if (!command.wait) {
    return {std::move(begun), fmt::format("rollout of {0} {1} has started; to follow it: grayctl rollout status {0} "
                                          "--watch\n",
                                          command.service, command.version)};
  }
  Command status = command;
  status.verb = Verb::rollout_status;
  status.arguments = {{"service", command.service}};
  return run_rollout(client, status, terminal, person, err);
}

Outcome run_promote(Client& client, const Command& command, const Person& person, std::ostream& err) {
  json args = named_in(command);
  args["yes"] = command.yes;
  Answer answer = confirmed(client, "promote", std::move(args), person, err);
  const std::string from = answer.body.is_object() ? answer.body.value("from", "") : "";
  auto text =
      fmt::format("{0}: all users get {1}; back to {2}: grayctl undo {0}\n", command.service, command.version, from);
  return {std::move(answer), std::move(text)};
}

Command as_undo(Command command) {
  command.verb = Verb::undo;
  command.service = command.arguments.value("service", "");
  command.to = command.arguments.value("to", "");
  return command;
}

Outcome run_undo(Client& client, const Command& command, const Person& person, std::ostream& err) {
  json args = {{"service", command.service}, {"undo_timeout_ms", command.timeout.count()}};
  if (!command.to.empty()) args["to"] = command.to;
  Answer begun = client.post("undo", args);
  if (begun.code != ExitCode::ok) return {std::move(begun), {}};
  const std::string target = begun.body.value("version", "");
  auto text = fmt::format("{}: all users get {} again\n", command.service, target);
  if (!begun.body.contains("undo")) return {std::move(begun), std::move(text)};
  const Awaited awaited{Verb::undo, command.service, target, begun.body["undo"].value("number", 0u)};
  if (!command.wait) return in_progress(std::move(begun), awaited);
  Watched watched = watch(client, awaited, {err, person, command.timeout + kUndoVerdict});
  if (watched.answer.code != ExitCode::ok) return {std::move(watched.answer), {}};
  return {std::move(begun), std::move(text)};
}

Outcome run_remove(Client& client, const Command& command, const Person& person, std::ostream& err) {
  json args = named_in(command);
  args["yes"] = command.yes;
  Answer begun = confirmed(client, "remove", std::move(args), person, err);
  if (begun.code != ExitCode::ok) return {std::move(begun), {}};
  const Awaited awaited{Verb::remove, command.service, command.version, 0};
  if (!command.wait) return in_progress(std::move(begun), awaited);
  Watched watched = watch(client, awaited, {err, person, command.timeout});
  if (watched.answer.code != ExitCode::ok) return {std::move(watched.answer), {}};
  auto text = watched.text + way_back(begun.body, command.service) + "\n";
  return {std::move(begun), std::move(text)};
}

}  // namespace gray::control
