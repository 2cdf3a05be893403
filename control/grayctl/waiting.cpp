#include "control/grayctl/waiting.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace gray::control {
namespace {

using nlohmann::json;

Progress going(std::string text) { return {false, ExitCode::ok, std::move(text)}; }
Progress reached(std::string text) { return {true, ExitCode::ok, std::move(text)}; }
Progress ended(ExitCode code, std::string text) { return {true, code, std::move(text)}; }

const json& array_of(const json& object, const char* name) {
  static const json kNoItems = json::array();
  auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : kNoItems;
}

const json* named(const json& entries, const std::string& name) {
  for (const json& entry : entries)
    if (entry.value("name", "") == name) return &entry;
  return nullptr;
}

std::string some(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string cause_of(const json& version) {
  const std::string cause = version.value("cause", "");
  return cause.empty() ? cause : "; " + cause;
}

std::size_t healthy_workers(const json& version) {
  const json& workers = array_of(version, "workers");
  return static_cast<std::size_t>(
      std::ranges::count_if(workers, [](const json& worker) { return worker.value("state", "") == "healthy"; }));
}

bool is_up_version(const json& version) {
  const std::string state = version.value("state", "");
  return (state == "serving" || state == "dark") && healthy_workers(version) >= version.value("instances", 1u);
}

std::string so_far(const json& version) {
  return fmt::format("{} of {} workers healthy", healthy_workers(version), version.value("instances", 1u));
}

std::string replaced_of(const json& restart) {
  return fmt::format("{} of {} workers replaced", restart.value("replaced", 0u), restart.value("of", 0u));
}

Progress has_failed(const std::string& name, const json& version) {
  return ended(ExitCode::failed,
               fmt::format("{0} has failed{1}; correct it, then: grayctl start {0}", name, cause_of(version)));
}

Progress judge_start(const std::string& name, const json& version) {
  if (version.value("stopped", false)) return ended(ExitCode::conflict, name + " was stopped meanwhile");
  if (version.value("state", "") == "failed") return has_failed(name, version);
  if (is_up_version(version)) return reached(fmt::format("{} started: {}", name, so_far(version)));
  return going(fmt::format("starting {}: {}{}", name, so_far(version), cause_of(version)));
}

Progress judge_deploy(const std::string& name, const json& version) {
  if (version.value("stopped", false)) return ended(ExitCode::conflict, name + " was stopped meanwhile");
  if (version.value("state", "") == "failed")
    return ended(ExitCode::failed, fmt::format("{0} could not be started{1}; correct it, then: grayctl remove {0}, and "
                                               "deploy it again",
                                               name, cause_of(version)));
  if (is_up_version(version)) return reached(fmt::format("{} deployed: {}", name, so_far(version)));
  return going(fmt::format("deploying {}: {}{}", name, so_far(version), cause_of(version)));
}

/// grayd completes an undo itself; the status has its outcome.
Progress judge_undo(const Awaited& awaited, const json& service) {
  const auto found = service.find("undo");
  const bool known = found != service.end() && found->is_object() && found->value("number", 0u) == awaited.number;
  const auto name = awaited.service + " " + awaited.version;
  if (!known && service.value("stable", "") == awaited.version) return reached(name + " serves all users");
  if (!known)
    return ended(ExitCode::failed, fmt::format("grayd has no record of the undo to {}; see grayctl events", name));
  const std::string state = found->value("state", ""), text = found->value("text", "");
  if (state == "done") return reached(text);
  if (state == "failed") return ended(static_cast<ExitCode>(found->value("exit_code", 1)), text);
  const json* version = named(array_of(service, "versions"), awaited.version);
  return going(version == nullptr ? text
                                  : fmt::format("starting {}: {}{}", name, so_far(*version), cause_of(*version)));
}

Progress judge_remove(const std::string& name, const json* version) {
  if (version == nullptr) return reached(name + " drained and removed");
  if (!version->value("removing", true)) return ended(ExitCode::conflict, name + " was deployed again meanwhile");
  const std::string left = some(array_of(*version, "workers").size(), "worker");
  return going(fmt::format("draining {}: {} left, {} in flight", name, left,
                           some(version->value("in_flight", std::size_t{0}), "request")));
}

Progress judge_end(const std::string& name, const json& version, bool drains) {
  if (!version.value("stopped", true)) return ended(ExitCode::conflict, name + " was started again meanwhile");
  if (version.value("state", "") == "stopped") return reached(name + (drains ? " drained and stopped" : " stopped"));
  const std::string left = some(array_of(version, "workers").size(), "worker");
  if (!drains) return going(fmt::format("stopping {}: {} left", name, left));
  return going(fmt::format("draining {}: {} left, {} in flight", name, left,
                           some(version.value("in_flight", std::size_t{0}), "request")));
}

Progress replacement_failed(const std::string& name, const json& restart) {
  return ended(ExitCode::failed, fmt::format("the restart of {} stopped after {}, and the old workers stay; {}", name,
                                             replaced_of(restart), restart.value("reason", "")));
}

Progress judge_restart(const std::string& name, const json& version, unsigned number) {
  const auto found = version.find("restart");
  if (found == version.end() || !found->is_object() || found->value("number", 0u) < number)
    return ended(ExitCode::failed, fmt::format("grayd has no record of the restart of {}; see grayctl status", name));
  if (found->value("number", 0u) > number)
    return ended(ExitCode::conflict, fmt::format("another restart of {} began meanwhile; see grayctl status", name));
  const std::string state = found->value("state", ""), reason = found->value("reason", "");
  if (state == "running") return going(fmt::format("restarting {}: {}", name, replaced_of(*found)));
  if (state == "done") return reached(fmt::format("{} restarted: {}", name, replaced_of(*found)));
  if (reason == "stopped") return ended(ExitCode::conflict, name + " was stopped meanwhile");
  if (version.value("state", "") == "failed") return has_failed(name, version);
  return replacement_failed(name, *found);
}

Progress judge_upgrade(const Awaited& awaited, const json& status) {
  const json& upgrades = array_of(status, "upgrades");
  const auto found =
      std::ranges::find_if(upgrades, [&](const json& one) { return one.value("number", 0u) == awaited.number; });
  if (found == upgrades.end())
    return ended(ExitCode::failed, fmt::format("grayd has no record of the {}; see grayctl events", subject(awaited)));
  const std::string state = found->value("state", ""), text = found->value("text", "");
  if (state == "running") return going(text);
  if (state == "done") return reached(text);
  const bool late = found->value("exit_code", 1) == static_cast<int>(ExitCode::timeout);
  return ended(late ? ExitCode::timeout : ExitCode::failed, text);
}

bool has_restart(const json& version, std::string_view state) {
  const auto found = version.find("restart");
  return found != version.end() && found->is_object() && found->value("state", "") == state;
}

/// All versions of one service that should be up; the progress is that of the first one that is not.
Progress judge_service(const json& service) {
  for (const json& version : array_of(service, "versions")) {
    const std::string name = service.value("name", "") + " " + version.value("name", "");
    if (version.value("stopped", false)) continue;
    if (version.value("state", "") == "failed") return has_failed(name, version);
    if (has_restart(version, "running"))
      return going(fmt::format("restarting {}: {}", name, replaced_of(version["restart"])));
    if (!is_up_version(version))
      return going(fmt::format("waiting for {}: {}{}", name, so_far(version), cause_of(version)));
    if (has_restart(version, "failed")) return replacement_failed(name, version["restart"]);
  }
  return reached({});
}

Progress judge_all(const std::string& only, const json& status) {
  if (status.value("state", "") == "starting") return going("grayd is starting");
  for (const json& service : array_of(status, "services")) {
    if (!only.empty() && service.value("name", "") != only) continue;
    if (Progress one = judge_service(service); !one.over || one.code != ExitCode::ok) return one;
  }
  return reached({});
}

}  // namespace

Progress judge(const Awaited& awaited, const json& status) {
  if (status.value("state", "") == "stopping")
    return ended(ExitCode::no_daemon,
                 fmt::format("grayd is stopping; the outcome of the {} is unknown", subject(awaited)));
  if (awaited.verb == Verb::upgrade || awaited.verb == Verb::reload) return judge_upgrade(awaited, status);
  if (awaited.version.empty()) return judge_all(awaited.service, status);
  const std::string name = awaited.service + " " + awaited.version;
  const json* service = named(array_of(status, "services"), awaited.service);
  const json* version = service ? named(array_of(*service, "versions"), awaited.version) : nullptr;
  if (awaited.verb == Verb::remove) return judge_remove(name, version);
  if (!version) return ended(ExitCode::conflict, name + " was removed meanwhile");
  if (awaited.verb == Verb::deploy) return judge_deploy(name, *version);
  if (awaited.verb == Verb::undo) return judge_undo(awaited, *service);
  if (awaited.verb == Verb::start) return judge_start(name, *version);
  if (awaited.verb == Verb::restart) return judge_restart(name, *version, awaited.number);
  return judge_end(name, *version, awaited.verb == Verb::drain);
}

std::string subject(const Awaited& awaited) {
  if (awaited.verb == Verb::reload) return "reload";
  const std::string of = awaited.service.empty()   ? "every service"
                         : awaited.version.empty() ? awaited.service
                                                   : awaited.service + " " + awaited.version;
  const Verb verb = awaited.verb == Verb::status ? Verb::health : awaited.verb;  // both wait for the same
  return fmt::format("{} of {}", name_of(verb), of);
}

std::string where_to_look(const Awaited& awaited) {
  if (awaited.verb == Verb::upgrade || awaited.verb == Verb::reload) return "it continues; see: grayctl status";
  return fmt::format("{}see: grayctl status{}{}", awaited.version.empty() ? "" : "it continues; ",
                     awaited.service.empty() ? "" : " ", awaited.service);
}

}  // namespace gray::control
