#include "control/grayctl/rollouts.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <ostream>

#include "config/base/units.hpp"

#include "control/grayctl/table.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr Duration kRolloutLook{200};

std::string word_in(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

double number_in(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

Colour colour_of_rollout(const std::string& state) {
  if (state == "promoted" || state == "holding" || state == "stepping") return Colour::good;
  if (state == "aborted" || state == "failed") return Colour::bad;
  return Colour::doubtful;
}

Colour colour_of_result(const std::string& result) {
  return result == "pass" ? Colour::good : result == "fail" ? Colour::bad : Colour::doubtful;
}

/// "1% 5% [25%] 50% 100%": the step in force is in brackets.
std::string steps_line(const json& status) {
  std::string line;
  double number = 0;
  for (const json& step : status.value("steps", json::array())) {
    const bool now = ++number == number_in(status, "step");
    line += fmt::format("{}{}{:g}%{}", line.empty() ? "" : " ", now ? "[" : "", step.get<double>(), now ? "]" : "");
  }
  return line;
}

Row figures_row(const char* name, const json& figures) {
  return {name,
          fmt::format("{:.0f}", number_in(figures, "requests")),
          fmt::format("{:.0f}", number_in(figures, "users")),
          fmt::format("{:.0f}", number_in(figures, "failed")),
          fmt::format("{:.2f}%", 100 * number_in(figures, "error_ratio")),
          fmt::format("{:.1f}", number_in(figures, "p50_ms")),
          fmt::format("{:.1f}", number_in(figures, "p99_ms"))};
}

std::string way_back(const json& status) {
  const auto service = word_in(status, "service"), state = word_in(status, "state");
  if (state == "promoted") return "to go back: grayctl undo " + service;
  if (is_rollout_over(status)) return fmt::format("to try again: grayctl rollout retry {}", service);
  return "to go back: grayctl rollout abort " + service;
}

/// Draws over what it drew before, on a terminal; elsewhere writes a line for each change.
class Drawing {
 public:
  Drawing(std::ostream& err, const Person& person, bool whole)
      : err_(err), person_(person), whole_(whole), block_(err) {}
  Drawing(const Drawing&) = delete;
  Drawing& operator=(const Drawing&) = delete;
  ~Drawing() { block_.erase(); }

  void show(const json& status) {
    const auto line = line_of_rollout(status);
    if (!person_.watches) {
      if (line != last_) err_ << line << "\n" << std::flush;
    } else {
      const Terminal terminal{person_.width - 1, whole_};
      block_.show(whole_ ? view_rollout(status, terminal) : cut(line, terminal.width) + "\n", terminal);
    }
    last_ = line;
  }

 private:
  std::ostream& err_;
  const Person& person_;
  bool whole_;
  RedrawnBlock block_;
  std::string last_;
};

Answer follow_rollout(Client& client, const Command& command, const Person& person, std::ostream& err) {
  Drawing drawing(err, person, command.follow);
  const Duration timeout = command.timeout_asked ? command.timeout : Command::kRolloutTimeout;
  const TimePoint until = Clock::now() + timeout;
  TimePoint answered = Clock::now();
  for (;;) {
    Answer answer = client.get(name_of(Verb::rollout_status), command.arguments);
    const bool silent = answer.code == ExitCode::no_daemon || answer.code == ExitCode::failed;
    if (silent && Clock::now() < answered + Client::kUpgradeTime) {
      ::poll(nullptr, 0, static_cast<int>(kRolloutLook.count()));
      continue;
    }
    if (answer.code != ExitCode::ok || is_rollout_over(answer.body)) return answer;
    answered = Clock::now();
    if (const TimePoint now = Clock::now(); now >= until && !command.follow) {
      return {.code = ExitCode::timeout,
              .body = {},
              .error =
                  fmt::format("{} after {}; it continues; see: grayctl rollout status {}", line_of_rollout(answer.body),
                              format_duration(timeout), word_in(answer.body, "service"))};
    }
    drawing.show(answer.body);
    ::poll(nullptr, 0, static_cast<int>(kRolloutLook.count()));
  }
}

Outcome show_rollout(Client& client, const Command& command, const Terminal& terminal, const Person& person,
                     std::ostream& err) {
  Outcome outcome;
  outcome.answer = command.wait || command.follow ? follow_rollout(client, command, person, err)
                                                  : client.get(name_of(Verb::rollout_status), command.arguments);
  if (outcome.answer.code != ExitCode::ok) return outcome;
  outcome.text = view_rollout(outcome.answer.body, terminal);
  outcome.end = exit_code_of_rollout(outcome.answer.body);
  return outcome;
}

/// What has happened, from the arguments of the verb.
std::string told_by(const Command& command) {
  const auto service = word_in(command.arguments, "service");
  switch (command.verb) {
    case Verb::rollout_start:
      return fmt::format("rollout of {} {} has started; to follow it: grayctl rollout status {} --watch\n", service,
                         word_in(command.arguments, "version"), service);
    case Verb::rollout_pause:
      return fmt::format("rollout of {0} is paused; to go on: grayctl rollout resume {0}\n", service);
    case Verb::rollout_abort:
      return fmt::format("rollout of {} is aborted; all users get the stable version\n", service);
    default: return fmt::format("done; see: grayctl rollout status {}\n", service);
  }
}

}  // namespace

bool is_rollout(Verb verb) { return name_of(verb).starts_with("rollout "); }

Outcome run_rollout(Client& client, const Command& command, const Terminal& terminal, const Person& person,
                    std::ostream& err) {
  if (command.verb == Verb::rollout_status) return show_rollout(client, command, terminal, person, err);
  Outcome outcome{client.post(name_of(command.verb), command.arguments), {}};
  if (outcome.answer.code == ExitCode::ok) outcome.text = told_by(command);
  return outcome;
}

std::string view_rollout(const json& status, const Terminal& terminal) {
  const auto state = word_in(status, "state"), reason = word_in(status, "reason");
  std::string view =
      fmt::format("{} {}: ", word_in(status, "service"), word_in(status, "version")) +
      paint(state, colour_of_rollout(state), terminal.colour) +
      fmt::format(", {:g}% of the users, since {}\n", number_in(status, "weight"), word_in(status, "since"));
  view += "steps: " + steps_line(status) + "\n";
  const auto verdict = status.find("verdict");
  const bool judged = verdict != status.end() && verdict->is_object();
  if (!reason.empty() && !(judged && word_in(*verdict, "text") == reason))
    for (const auto& line : wrap(reason, terminal.width)) view += line + "\n";
  if (judged) view += view_verdict(*verdict, terminal);
  return view + cut(way_back(status), terminal.width) + "\n";
}

std::string view_verdict(const json& verdict, const Terminal& terminal) {
  Table table({{"version", 7},
               {"requests", 0, true},
               {"users", 0, true},
               {"failed users", 0, true},
               {"errors", 0, true},
               {"p50 ms", 0, true},
               {"p99 ms", 0, true}},
              2);
  table.add(figures_row("stable", verdict.value("stable", json::object())));
  table.add(figures_row("canary", verdict.value("canary", json::object())));
  const auto result = word_in(verdict, "result"), why = word_in(verdict, "text");
  std::string lines;
  for (const auto& line : wrap("verdict: " + result + (why.empty() ? "" : ": " + why), terminal.width))
    lines += paint(line, colour_of_result(result), terminal.colour) + "\n";
  for (const auto& line : table.lines(terminal)) lines += line + "\n";
  return lines;
}

std::string line_of_rollout(const json& status) {
  auto line = fmt::format("{} {}: {}, {:g}% of the users", word_in(status, "service"), word_in(status, "version"),
                          word_in(status, "state"), number_in(status, "weight"));
  // The time that is left, and the requests so far, change all the time; they are no news.
  const auto reason = word_in(status, "reason");
  if (reason.empty() || reason.ends_with(" until the next step")) return line;
  const auto verdict = status.find("verdict");
  const bool waits = verdict != status.end() && verdict->is_object() && word_in(*verdict, "result") == "insufficient" &&
                     word_in(*verdict, "text") == reason;
  return line + ": " + (waits ? "waits for enough requests to compare" : reason);
}

bool is_rollout_over(const json& status) {
  const auto state = word_in(status, "state");
  return state == "promoted" || state == "aborted" || state == "failed";
}

ExitCode exit_code_of_rollout(const json& status) {
  const auto state = word_in(status, "state");
  return state == "aborted" ? ExitCode::aborted : state == "failed" ? ExitCode::failed : ExitCode::ok;
}

}  // namespace gray::control
