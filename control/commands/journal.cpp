#include "control/commands/journal.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

#include "config/base/diagnostics.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

struct Question {
  std::uint64_t after = 0, count = Journal::kUsualLines, wait_ms = 0;
  std::string service, version, worker;  // empty: all
  std::string error;                     // the error in it; empty: none

  Duration wait() const { return Duration(static_cast<Duration::rep>(wait_ms)); }
  bool names_any() const { return !service.empty() || !version.empty() || !worker.empty(); }
  bool asks_for(const std::string& its_service, const std::string& its_version, const std::string& its_worker) const {
    return (service.empty() || service == its_service) && (version.empty() || version == its_version) &&
           (worker.empty() || worker == its_worker);
  }
};

std::optional<std::uint64_t> number_of(const json& value) {
  if (value.is_number_integer() && value >= 0) return value.get<std::uint64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void read(const json& args, const char* name, std::uint64_t most, std::uint64_t& value, std::string& error) {
  const auto found = args.find(name);
  if (found == args.end()) return;
  const auto number = number_of(*found);
  if (number && *number <= most)
    value = *number;
  else
    error = fmt::format("{} must be a whole number from 0 to {}", name, most);
}

void read(const json& args, const char* name, std::string& value, std::string& error) {
  const auto found = args.find(name);
  if (found == args.end()) return;
  if (found->is_string())
    value = *found;
  else
    error = fmt::format("{} must be a string", name);
}

Question question_of(const json& args) {
  Question question;
  read(args, "after", UINT64_MAX, question.after, question.error);
  read(args, "count", Journal::kMostLines, question.count, question.error);
  read(args, "wait_ms", Journal::kMostWait, question.wait_ms, question.error);
  read(args, "service", question.service, question.error);
  read(args, "version", question.version, question.error);
  read(args, "worker", question.worker, question.error);
  return question;
}

Reply bad_question(std::string error) { return {ExitCode::usage, {}, std::move(error)}; }

/// The names that can be asked for: those in the file, and those that exist or existed.
struct Names {
  std::set<std::string> services, versions, workers;

  void add(const Question& question, const std::string& service, const std::string& version,
           const std::string& worker) {
    if (!service.empty()) services.insert(service);
    if (!question.service.empty() && question.service != service) return;
    if (!version.empty()) versions.insert(version);
    if (!question.version.empty() && question.version != version) return;
    if (!worker.empty()) workers.insert(worker);
  }
};

std::string unknown(const std::string& what, const std::string& name, const std::set<std::string>& names) {
  std::string known;
  for (const auto& one : names) known += (known.empty() ? "" : ", ") + one;
  return fmt::format("there is no {} \"{}\"{} (known: {})", what, name,
                     did_you_mean(name, {names.begin(), names.end()}), known.empty() ? "none" : known);
}

/// The error in the question, or the first unknown name in it; empty if there is none.
std::string refused(const Question& question, Names names, const Settings& settings) {
  if (!question.error.empty()) return question.error;
  for (const auto& service : settings.services) {
    for (const auto& version : service.versions) names.add(question, service.name, version.name, {});
  }
  const auto missing = [](const std::string& name, const std::set<std::string>& known) {
    return !name.empty() && !known.contains(name);
  };
  if (missing(question.service, names.services)) return unknown("service", question.service, names.services);
  const auto of = question.service.empty() ? "" : " of " + question.service;
  if (missing(question.version, names.versions)) return unknown("version" + of, question.version, names.versions);
  if (missing(question.worker, names.workers)) return unknown("worker" + of, question.worker, names.workers);
  return {};
}

std::optional<Reply> look_at_events(const Question& question, const EventLog& log, bool must_answer) {
  auto chosen = log.after(question.after);
  const auto last = chosen.empty() ? log.last() : chosen.back().sequence;
  std::erase_if(
      chosen, [&](const EventRecord& event) { return !question.asks_for(event.service, event.version, event.worker); });
  if (chosen.empty() && !must_answer) return std::nullopt;
  json events = json::array();
  const auto skip = chosen.size() - std::min<std::size_t>(chosen.size(), question.count);
  for (auto i = skip; i < chosen.size(); ++i) events.push_back(to_json(chosen[i]));
  return Reply{ExitCode::ok,
               {{"schema_version", 1}, {"events", std::move(events)}, {"oldest", log.oldest()}, {"last", last}},
               {}};
}

struct Line {
  const WorkerOutput* worker;
  const OutputLine* line;
};

json line_json(const Line& entry) {
  return {{"sequence", entry.line->sequence},
          {"number", entry.line->number},
          {"time", rfc3339(entry.line->time)},
          {"service", entry.worker->service},
          {"version", entry.worker->version},
          {"worker", entry.worker->worker},
          {"stream", entry.line->is_error ? "stderr" : "stdout"},
          {"cut", entry.line->cut},
          {"text", entry.line->text}};
}

/// The number of lines at the end that are wanted and fit into one answer.
std::size_t wanted_of(const std::vector<Line>& lines, std::uint64_t count) {
  std::size_t wanted = 0, bytes = 0;
  for (auto line = lines.rbegin(); line != lines.rend() && wanted < count; ++line, ++wanted) {
    bytes += line->line->text.size();
    if (bytes > Journal::kMostBytes) break;
  }
  return wanted;
}

std::optional<Reply> look_at_lines(const Question& question, const std::vector<WorkerOutput>& outputs,
                                   bool must_answer) {
  std::vector<Line> lines;
  for (const auto& output : outputs) {
    if (!question.asks_for(output.service, output.version, output.worker)) continue;
    for (const auto* line : output.lines) lines.push_back({&output, line});
  }
  if (lines.empty() && !must_answer) return std::nullopt;
  std::ranges::sort(lines, {}, [](const Line& line) { return line.line->sequence; });
  const auto last = lines.empty() ? question.after : lines.back().line->sequence;
  json body = json::array();
  for (auto i = lines.size() - wanted_of(lines, question.count); i < lines.size(); ++i)
    body.push_back(line_json(lines[i]));
  return Reply{ExitCode::ok, {{"schema_version", 1}, {"lines", std::move(body)}, {"last", last}}, {}};
}

}  // namespace

Journal::Handler Journal::handler_of(Verb verb) {
  constexpr std::pair<Verb, Handler> kHandlers[] = {
      {Verb::events, &Journal::events},
      {Verb::logs, &Journal::logs},
  };
  const auto* found = std::ranges::find(kHandlers, verb, &std::pair<Verb, Handler>::first);
  return found == std::end(kHandlers) ? nullptr : found->second;
}

void Journal::call(Verb verb, const json& args, TimePoint now, Done done) {
  (this->*handler_of(verb))(args, now, std::move(done));
}

void Journal::events(const json& args, TimePoint now, Done done) {
  const auto question = question_of(args);
  Names names;
  if (question.names_any())
    for (const auto& event : events_.after(0)) names.add(question, event.service, event.version, event.worker);
  if (auto error = refused(question, std::move(names), settings_); !error.empty()) return done(bad_question(error));
  polls_.wait(
      now, question.wait(), [this, question](bool must) { return look_at_events(question, events_, must); },
      std::move(done));
}

void Journal::logs(const json& args, TimePoint now, Done done) {
  const auto question = question_of(args);
  Names names;
  for (const auto& output : outputs_.outputs(UINT64_MAX))
    names.add(question, output.service, output.version, output.worker);
  if (auto error = refused(question, std::move(names), settings_); !error.empty()) return done(bad_question(error));
  polls_.wait(
      now, question.wait(),
      [this, question](bool must) { return look_at_lines(question, outputs_.outputs(question.after), must); },
      std::move(done));
}

}  // namespace gray::control
