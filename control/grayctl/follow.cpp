#include "control/grayctl/follow.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <optional>
#include <ostream>

#include "control/grayctl/history_view.hpp"
#include "control/grayctl/status_view.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr int kWaitMs = 2'000;      // the longest wait of one call for new entries
constexpr int kCrowdedMs = 500;     // until the next try when too many callers follow
constexpr int kCrowdedTries = 20;   // tries of a caller that already follows
constexpr int kMostAtOnce = 1'000;  // entries in an answer while following

const char* list_of(const Command& command) { return command.verb == Verb::events ? "events" : "lines"; }

json question(const Command& command, std::uint64_t after, int count) {
  json args = {{"after", after}, {"count", count}};
  if (!command.service.empty()) args["service"] = command.service;
  if (!command.version.empty()) args["version"] = command.version;
  if (!command.worker.empty()) args["worker"] = command.worker;
  return args;
}

/// Answers as text, one after the other.
class Teller {
 public:
  Teller(const Command& command, bool as_json, const Terminal& terminal)
      : command_(command), as_json_(as_json), terminal_(terminal), log_(terminal) {}

  /// The text of the `answer` to a call with `after`.
  std::string tell(const json& answer, std::uint64_t after) {
    std::string text;
    if (!as_json_ && command_.verb == Verb::events) text = view_missing_events(answer, after, terminal_);
    for (const json& entry : answer.value(list_of(command_), json::array())) text += tell_one(entry);
    return text;
  }

 private:
  std::string tell_one(const json& entry) {
    if (as_json_) return entry.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    return command_.verb == Verb::events ? view_event(entry, terminal_) : log_.view(entry);
  }

  const Command& command_;
  bool as_json_;
  Terminal terminal_;
  LogView log_;
};

/// Calls grayd, and retries while too many others follow, up to `tries` times.
Answer ask(Client& client, std::string_view verb, const json& args, int tries) {
  for (;;) {
    Answer answer = client.get(verb, args);
    if (answer.code != ExitCode::conflict || --tries <= 0) return answer;
    ::poll(nullptr, 0, kCrowdedMs);
  }
}

/// Shows the status, or what has changed in it.
class StatusWatch {
 public:
  StatusWatch(bool as_json, std::ostream& out, const Terminal& terminal)
      : as_json_(as_json), out_(out), terminal_(terminal), block_(out) {}

  void show(const json& status) {
    if (terminal_.redraws && !as_json_) {
      const Terminal now = measured_again(terminal_);
      return block_.show(view_status(status, now), now);
    }
    auto states = states_of_versions(status);
    const std::string changes = changes_to(states);
    states_ = std::move(states);
    if (changes.empty()) return;
    out_ << (as_json_ ? status.dump(-1, ' ', false, json::error_handler_t::replace) + "\n" : changes) << std::flush;
  }
  /// Waits for the time of the next look; false: nobody reads any more.
  bool pause(Duration time) const {
    if (!out_) return false;
    pollfd reader{terminal_.fd, 0, 0};
    return ::poll(&reader, 1, static_cast<int>(time.count())) <= 0 || (reader.revents & (POLLERR | POLLHUP)) == 0;
  }

 private:
  std::string changes_to(const std::map<std::string, std::string>& states) const {
    std::string lines;
    for (const auto& [version, state] : states)
      if (const auto known = states_.find(version); known == states_.end() || known->second != state)
        lines += fmt::format("{}: {}\n", version, state);
    for (const auto& [version, state] : states_)
      if (!states.contains(version)) lines += fmt::format("{}: removed\n", version);
    return lines;
  }

  bool as_json_;
  std::ostream& out_;
  Terminal terminal_;
  RedrawnBlock block_;
  std::map<std::string, std::string> states_;  // the last ones
};

/// Ends when grayd has not answered for a time in which it could have replaced itself.
Answer watch_status(Client& client, const Command& command, StatusWatch watch) {
  std::optional<TimePoint> answered;
  do {
    Answer answer = client.get("status");
    if (answer.code != ExitCode::ok) {
      const bool silent = answer.code == ExitCode::no_daemon || answer.code == ExitCode::failed;
      if (!silent || !answered || Clock::now() - *answered >= Client::kUpgradeTime) return answer;
      continue;
    }
    answered = Clock::now();
    std::string error;
    if (!command.service.empty() && !keep_only(answer.body, command.service, error))
      return {.code = ExitCode::usage, .body = {}, .error = error};
    watch.show(answer.body);
  } while (watch.pause(command.interval));
  return {};
}

}  // namespace

Answer look_back(Client& client, const Command& command, const Terminal& terminal, std::string& text) {
  Answer answer = client.get(name_of(command.verb), question(command, 0, command.count));
  if (answer.code == ExitCode::ok) text = Teller(command, false, terminal).tell(answer.body, 0);
  return answer;
}

Answer follow(Client& client, const Command& command, bool as_json, std::ostream& out, const Terminal& terminal) {
  if (command.verb == Verb::status) return watch_status(client, command, StatusWatch(as_json, out, terminal));
  Teller teller(command, as_json, terminal);
  json args = question(command, 0, command.count);
  std::uint64_t after = 0;
  for (int tries = 1;; tries = kCrowdedTries) {
    Answer answer = ask(client, name_of(command.verb), args, tries);
    if (answer.code != ExitCode::ok) return answer;
    if (!(out << teller.tell(answer.body, after) << std::flush)) return {};
    after = answer.body.value("last", after);
    args = question(command, after, kMostAtOnce);
    args["wait_ms"] = kWaitMs;
  }
}

}  // namespace gray::control
