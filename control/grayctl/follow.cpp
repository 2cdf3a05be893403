#include "control/grayctl/follow.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <ostream>

#include "control/grayctl/history_view.hpp"

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

}  // namespace

Answer look_back(Client& client, const Command& command, const Terminal& terminal, std::string& text) {
  Answer answer = client.get(name_of(command.verb), question(command, 0, command.count));
  if (answer.code == ExitCode::ok) text = Teller(command, false, terminal).tell(answer.body, 0);
  return answer;
}

Answer follow(Client& client, const Command& command, bool as_json, std::ostream& out, const Terminal& terminal) {
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
