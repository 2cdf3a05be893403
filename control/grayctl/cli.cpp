#include "control/grayctl/cli.hpp"

#include <fmt/format.h>

#include <ostream>

#include "config/settings/settings_toml.hpp"
#include "control/grayctl/command.hpp"
#include "control/grayctl/completion.hpp"
#include "control/grayctl/demo/demo.hpp"
#include "control/grayctl/follow.hpp"
#include "control/grayctl/history/history.hpp"
#include "control/grayctl/memory/memory.hpp"
#include "control/grayctl/orders.hpp"
#include "control/grayctl/release.hpp"
#include "control/grayctl/rollouts.hpp"
#include "control/grayctl/status_view.hpp"
#include "control/grayctl/top/top.hpp"
#include "control/grayctl/upgrading.hpp"
#include "control/grayctl/watch.hpp"
#include "control/grayctl/why/bucket.hpp"
#include "control/grayctl/why/why.hpp"
#include "control/version.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

/// The streams of the output.
struct Place {
  std::ostream& err;
  const Terminal& terminal;
  const Person& person;
};

/// The status, immediately or after the wait.
Answer awaited_status(Client& client, const Command& command, const Place& place) {
  Answer now = client.get("status");
  if (now.code != ExitCode::ok) return now;
  std::string error;
  if (json copy = now.body; !command.service.empty() && !keep_only(copy, command.service, error))
    return {.code = ExitCode::usage, .body = {}, .error = error};
  if (!command.wait) return now;
  const Awaited awaited{command.verb, command.service, {}, 0};
  return watch(client, awaited, {place.err, place.person, command.timeout}).answer;
}

Outcome run_status(Client& client, const Command& command, const Place& place) {
  Outcome outcome{awaited_status(client, command, place), {}};
  if (outcome.answer.code != ExitCode::ok) return outcome;
  std::string error;
  if (!command.service.empty()) keep_only(outcome.answer.body, command.service, error);
  outcome.text = view_status(outcome.answer.body, place.terminal);
  return outcome;
}

Outcome run_shift(Client& client, const Command& command, const Place& place) {
  json args = {
      {"service", command.service}, {"version", command.version}, {"percent", command.percent}, {"yes", command.yes}};
  return {confirmed(client, "shift", std::move(args), place.person, place.err),
          fmt::format("{}: {} takes {:g}% of the users\n", command.service, command.version, command.percent)};
}

Outcome run_health(Client& client, const Command& command, const Place& place) {
  if (command.wait)
    if (Answer waited = awaited_status(client, command, place); waited.code != ExitCode::ok) return {waited, {}};
  json args = json::object();
  if (!command.service.empty()) args["service"] = command.service;
  return {client.get("health", args),
          fmt::format("{} healthy\n", command.service.empty() ? "every service is" : command.service + " is")};
}

/// A verb without a function of its own: prints the text of the answer, or only that it is done.
Outcome run_generic(Client& client, const Command& command) {
  const VerbRow& row = row_of(command.verb);
  Outcome outcome{row.changes ? client.post(row.name, command.arguments) : client.get(row.name, command.arguments), {}};
  if (outcome.answer.code == ExitCode::ok) outcome.text = outcome.answer.body.value("text", "done\n");
  return outcome;
}

Outcome run_look_back(Client& client, const Command& command, const Terminal& terminal) {
  Outcome outcome;
  outcome.answer = look_back(client, command, terminal, outcome.text);
  return outcome;
}

Outcome check_config(const std::string& file) {
  LoadedSettings loaded = load_settings(file);
  if (auto* errors = std::get_if<ConfigErrors>(&loaded)) return failed(ExitCode::bad_config, errors->text);
  const Settings& settings = std::get<Settings>(loaded);
  std::size_t versions = 0;
  for (const ServiceSettings& service : settings.services) versions += service.versions.size();
  auto some = [](std::size_t n, const char* noun) { return fmt::format("{} {}{}", n, noun, n == 1 ? "" : "s"); };
  json body = {{"schema_version", 1},
               {"file", file},
               {"services", settings.services.size()},
               {"versions", versions},
               {"warnings", settings.warnings.text}};
  return {{.code = ExitCode::ok, .body = std::move(body), .error = {}},
          fmt::format("{}{}: ok ({}, {})\n", settings.warnings.text, file, some(settings.services.size(), "service"),
                      some(versions, "version"))};
}

Outcome say_version() {
  return {{.code = ExitCode::ok, .body = {{"schema_version", 1}, {"version", kVersion}}, .error = {}},
          fmt::format("grayctl {}\n", kVersion)};
}

Outcome print_completion(const Command& command) {
  std::string script = completion_script(command.shell);
  return {{.code = ExitCode::ok, .body = {{"schema_version", 1}, {"script", script}}, .error = {}}, script};
}

Outcome run_verb(const Command& command, const Place& place) {
  Client client(find_socket(command.socket));
  switch (command.verb) {
    case Verb::status: return run_status(client, command, place);
    case Verb::shift: return run_shift(client, command, place);
    case Verb::health: return run_health(client, command, place);
    case Verb::start:
    case Verb::stop:
    case Verb::restart:
    case Verb::drain: return run_order(client, command, place.person, place.err);
    case Verb::deploy:
      return command.rollout ? run_deploy_with_rollout(client, command, place.terminal, place.person, place.err)
                             : run_deploy(client, command, place.person, place.err);
    case Verb::promote: return run_promote(client, command, place.person, place.err);
    case Verb::undo: return run_undo(client, command, place.person, place.err);
    case Verb::remove: return run_remove(client, command, place.person, place.err);
    case Verb::reload: return run_reload(client, command, place.person, place.err);
    case Verb::upgrade: return run_upgrade(client, command, place.person, place.err);
    case Verb::events:
    case Verb::logs: return run_look_back(client, command, place.terminal);
    case Verb::why: return run_why(client, command, place.terminal, place.err);
    case Verb::memory: return run_memory(client, command, place.terminal);
    case Verb::history: return run_history(client, command, place.terminal);
    case Verb::config_check: return check_config(command.file);
    case Verb::completion: return print_completion(command);
    case Verb::version: return say_version();
    case Verb::demo_break:
    case Verb::demo_heal: return run_demo(command);
    case Verb::rollout_undo: return run_undo(client, as_undo(command), place.person, place.err);
    default:
      return is_rollout(command.verb) ? run_rollout(client, command, place.terminal, place.person, place.err)
                                      : run_generic(client, command);
  }
}

std::string unreadable(const json::exception& surprise) {
  return fmt::format("grayctl {} cannot read the answer of grayd: {}", kVersion, surprise.what());
}

Outcome run(const Command& command, const Place& place) {
  try {
    return run_verb(command, place);
  } catch (const json::exception& surprise) {
    return failed(ExitCode::failed, unreadable(surprise));
  }
}

std::string printed(const json& body) { return body.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"; }

/// A message of one line gets the prefix "grayctl: "; a longer one lists errors in a file and is not changed.
std::string message(const std::string& error) {
  return error.find('\n') == std::string::npos ? fmt::format("grayctl: {}\n", error) : error;
}

int report_failure(ExitCode code, const std::string& error, bool as_json, std::ostream& out, std::ostream& err) {
  if (as_json) out << printed({{"schema_version", 1}, {"exit_code", static_cast<int>(code)}, {"error", error}});
  err << message(error);
  return static_cast<int>(code);
}

/// The users are printed while they are read: there may be millions.
int print_buckets(const Command& command, bool as_json, std::ostream& out, std::ostream& err) {
  Client client(find_socket(command.socket));
  try {
    const auto [answer, printed] = run_bucket(client, command, as_json, out);
    if (answer.code == ExitCode::ok) return 0;
    return report_failure(answer.code, answer.error, as_json && !printed, out, err);
  } catch (const json::exception& surprise) {
    return report_failure(ExitCode::failed, unreadable(surprise), as_json, out, err);
  }
}

int show_top(const Command& command, bool as_json, std::ostream& out, std::ostream& err, const Terminal& terminal) {
  try {
    const Answer end = run_top(command, as_json, out, err, terminal);
    return end.code == ExitCode::ok ? 0 : report_failure(end.code, end.error, as_json, out, err);
  } catch (const json::exception& surprise) {
    return report_failure(ExitCode::failed, unreadable(surprise), as_json, out, err);
  }
}

}  // namespace

int run_grayctl(int argc, const char* const* argv, std::ostream& out, std::ostream& err, const Terminal& terminal,
                const Person& person) {
  if (argc > 1 && argv[1] == kCompleteVerb) {
    for (const std::string& word : complete({argv + 2, argv + argc})) out << word << "\n";
    return 0;
  }
  CommandLine line = parse_command_line(argc, argv);
  if (line.code != ExitCode::ok) return report_failure(line.code, line.text, line.json, out, err);
  if (!line.command) {
    out << line.text;
    return 0;
  }
  if (line.command->follow && !is_rollout(line.command->verb)) {
    Client client(find_socket(line.command->socket));
    const bool history = line.command->verb == Verb::history;
    const Answer end = history ? follow_history(client, *line.command, line.json, out, terminal)
                               : follow(client, *line.command, line.json, out, terminal);
    return end.code == ExitCode::ok ? 0 : report_failure(end.code, end.error, line.json, out, err);
  }
  if (line.command->verb == Verb::top) return show_top(*line.command, line.json, out, err, terminal);
  if (line.command->verb == Verb::bucket) return print_buckets(*line.command, line.json, out, err);
  Outcome outcome = run(*line.command, {err, terminal, person});
  const Answer& answer = outcome.answer;
  if (answer.code != ExitCode::ok) return report_failure(answer.code, answer.error, line.json, out, err);
  out << (line.json ? printed(answer.body) : outcome.text);
  return static_cast<int>(outcome.end);
}

}  // namespace gray::control
