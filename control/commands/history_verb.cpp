#include "control/commands/history_verb.hpp"

#include <fmt/format.h>

#include <charconv>

#include "control/traffic/weights.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {
namespace {

/// Digits in text, or a number; the type was checked.
std::uint64_t whole_in(const nlohmann::json& args, const char* name, std::uint64_t otherwise) {
  const auto found = args.find(name);
  if (found == args.end()) return otherwise;
  if (!found->is_string()) return found->get<std::uint64_t>();
  const auto& text = found->get_ref<const std::string&>();
  std::uint64_t number = UINT64_MAX;  // of more digits than fit
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

HistoryQuestion history_question(const nlohmann::json& args) {
  HistoryQuestion question;
  question.error = arguments_error(Verb::history, args);
  if (!question.error.empty()) return question;
  auto& query = question.query;
  query.service = args.value("service", "");
  query.version = args.value("version", "");
  query.id = whole_in(args, "id", 0);
  query.after = whole_in(args, "after", 0);
  query.count = whole_in(args, "count", query.count);
  if (query.count < 1 || query.count > AuditQuery::kMost)
    question.error = fmt::format("count must be a whole number from 1 to {}", AuditQuery::kMost);
  for (const auto number : {query.id, query.after})
    if (number > INT64_MAX) question.error = "id and after must be ids of the history";
  if (const auto since = args.value("since", ""); !since.empty()) {
    query.since = wall_time_from(since);
    if (!query.since) question.error = "since must be a time such as 2026-11-23T17:04:45.123Z";
  }
  return question;
}

Reply history_reply(const AuditQuery& query, AuditAnswer answer, const Settings& settings) {
  if (!answer.error.empty()) return refusal(ExitCode::failed, std::move(answer.error));
  auto& entries = answer.entries;
  if (entries.empty() && query.id != 0)
    return refusal(ExitCode::failed, fmt::format("the history has no change {}; see grayctl history", query.id));
  if (entries.empty() && !query.service.empty() && settings.service(query.service) == nullptr)
    return refusal(ExitCode::usage, unknown_service(settings, query.service));
  const auto last = entries.empty() ? nlohmann::json(query.after) : entries.back().at("id");
  return {ExitCode::ok, {{"schema_version", 1}, {"entries", std::move(entries)}, {"last", last}}, {}};
}

}  // namespace gray::control
