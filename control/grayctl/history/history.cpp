#include "control/grayctl/history/history.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>

#include <ostream>

#include "control/grayctl/history/entry_view.hpp"
#include "control/history/audit_reader.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr Duration kLook{500};            // from one question to the next
constexpr std::uint64_t kAtOnce = 1'000;  // changes in an answer while following

json question_of(const Command& command, std::uint64_t after, std::uint64_t count) {
  json args = {{"after", after}, {"count", count}};
  if (!command.service.empty()) args["service"] = command.service;
  if (!command.version.empty()) args["version"] = command.version;
  if (command.entry != 0) args["id"] = command.entry;
  if (command.since) args["since"] = rfc3339(*command.since);
  return args;
}

/// The answer of grayd, made here.
Answer read_file(const Command& command) {
  const auto path = audit_path(command.state_dir);
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0)
    return {.code = ExitCode::failed,
            .body = {},
            .error = fmt::format("there is no history in {}; --state-dir is the state_dir of the configuration",
                                 command.state_dir)};
  AuditQuery query{command.service, command.version, command.since, 0, command.entry, 0};
  query.count = static_cast<std::uint64_t>(command.count);
  auto found = read_history(path, query, AuditReader::kLimit);
  if (!found.error.empty()) return {.code = ExitCode::failed, .body = {}, .error = found.error};
  const json last = found.entries.empty() ? json(0) : found.entries.back().at("id");
  return {.code = ExitCode::ok,
          .body = {{"schema_version", 1}, {"entries", std::move(found.entries)}, {"last", last}},
          .error = {}};
}

/// False: nobody reads any more.
bool pause(const std::ostream& out, const Terminal& terminal) {
  if (!out) return false;
  pollfd reader{terminal.fd, 0, 0};
  return ::poll(&reader, 1, static_cast<int>(kLook.count())) <= 0 || (reader.revents & (POLLERR | POLLHUP)) == 0;
}

}  // namespace

Outcome run_history(Client& client, const Command& command, const Terminal& terminal) {
  Outcome outcome;
  outcome.answer =
      command.state_dir.empty()
          ? client.get(name_of(Verb::history), question_of(command, 0, static_cast<std::uint64_t>(command.count)))
          : read_file(command);
  if (outcome.answer.code != ExitCode::ok) return outcome;
  const json& entries = outcome.answer.body.at("entries");
  if (!command.verbose && command.entry == 0) {
    outcome.text = view_entries(entries, terminal);
    return outcome;
  }
  for (const json& entry : entries) outcome.text += (outcome.text.empty() ? "" : "\n") + view_entry(entry, terminal);
  if (entries.empty()) outcome.text = "no changes\n";
  return outcome;
}

Answer follow_history(Client& client, const Command& command, bool as_json, std::ostream& out,
                      const Terminal& terminal) {
  json args = question_of(command, 0, static_cast<std::uint64_t>(command.count));
  TimePoint answered = Clock::now();
  do {
    Answer answer = client.get(name_of(Verb::history), args);
    const bool silent = answer.code == ExitCode::no_daemon || answer.code == ExitCode::conflict;
    if (silent && Clock::now() < answered + Client::kUpgradeTime) continue;
    if (answer.code != ExitCode::ok) return answer;
    answered = Clock::now();
    for (const json& entry : answer.body.at("entries"))
      out << (as_json ? entry.dump(-1, ' ', false, json::error_handler_t::replace) + "\n"
                      : view_entry_line(entry, terminal));
    out << std::flush;
    args = question_of(command, answer.body.value("last", std::uint64_t{0}), kAtOnce);
  } while (pause(out, terminal));
  return {};
}

}  // namespace gray::control
