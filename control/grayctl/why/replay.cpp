#include "control/grayctl/why/replay.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "control/grayctl/table.hpp"
#include "control/grayctl/why/line_file.hpp"
#include "router/policy/decision.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

const char* words_of(Replay replay) {
  switch (replay) {
    case Replay::damaged: return "are damaged";
    case Replay::older: return "are of an older grayd, which did not log all facts";
    case Replay::no_service: return "reached no service, so nothing was decided";
    case Replay::unknown: return "have a decision that this grayctl does not know";
    default: return "";
  }
}

constexpr Replay kNotDecided[] = {Replay::damaged, Replay::older, Replay::no_service, Replay::unknown};

std::string view_replay(const json& report) {
  std::string view =
      fmt::format("{} of {} lines decided again: {} mismatches\n", report["replayed"].get<std::uint64_t>(),
                  report["lines"].get<std::uint64_t>(), report["mismatches"].get<std::uint64_t>());
  std::string kinds;
  for (const auto& [name, count] : report["decisions"].items())
    kinds += fmt::format("{}{} {}", kinds.empty() ? "  " : ", ", name, count.get<std::uint64_t>());
  if (!kinds.empty()) view += kinds + "\n";
  for (const Replay kind : kNotDecided)
    if (const auto count = report["not_replayed"][name_of(kind)].get<std::uint64_t>(); count > 0)
      view += fmt::format("  {} {}\n", count, words_of(kind));
  if (const json& ids = report["ids"]; !ids.is_null())
    view += fmt::format("  of {} ids: {} hashes computed again, {} of other users\n", ids["ids"].get<std::uint64_t>(),
                        ids["known"].get<std::uint64_t>(), ids["unknown"].get<std::uint64_t>());
  for (const json& one : report["first"])
    view += harmless(fmt::format("  line {}, request {}: {}", one["line"].get<std::uint64_t>(),
                                 one["request_id"].get<std::string>(), one["text"].get<std::string>())) +
            "\n";
  const auto shown = report["first"].size();
  if (const auto all = report["mismatches"].get<std::uint64_t>(); all > shown)
    view += fmt::format("  and {} more\n", all - shown);
  return view;
}

}  // namespace

bool KnownUsers::has(const std::string& salt, std::uint64_t hash) {
  const auto [at, fresh] = hashes_.try_emplace(salt);
  if (fresh) {
    at->second.reserve(ids_.size());
    for (const std::string& id : ids_) at->second.push_back(policy::bucket_hash(salt, id));
    std::ranges::sort(at->second);
  }
  return std::ranges::binary_search(at->second, hash);
}

void LogReplay::add(std::string_view line, std::uint64_t number) {
  if (line.empty()) return;
  ++lines_;
  const Replay replay = line_.read(line) ? decide_again(line_, difference_) : Replay::damaged;
  ++counts_[static_cast<std::size_t>(replay)];
  if (replay != Replay::same && replay != Replay::differs) return;
  ++decisions_[line_.decision_name];
  if (users_ != nullptr && line_.identity_hash) check_user();
  if (replay == Replay::differs && first_.size() < kMostShown)
    first_.push_back({number, line_.request_id, difference_});
}

void LogReplay::check_user() {
  if (users_->takes(line_.salt) && users_->has(line_.salt, *line_.identity_hash))
    ++known_;
  else
    ++unknown_;
}

std::uint64_t LogReplay::decided() const { return of(Replay::same) + of(Replay::differs); }

json LogReplay::report() const {
  json not_replayed = json::object(), first = json::array();
  for (const Replay kind : kNotDecided) not_replayed[name_of(kind)] = of(kind);
  for (const Mismatch& one : first_)
    first.push_back({{"line", one.line}, {"request_id", one.request_id}, {"text", one.text}});
  json ids;
  if (users_ != nullptr) ids = {{"ids", users_->size()}, {"known", known_}, {"unknown", unknown_}};
  return {{"schema_version", 1},        {"lines", lines_},         {"replayed", decided()},
          {"mismatches", mismatches()}, {"decisions", decisions_}, {"not_replayed", std::move(not_replayed)},
          {"first", std::move(first)},  {"ids", std::move(ids)}};
}

Outcome run_replay(const std::string& file, const std::string& ids) {
  KnownUsers users;
  std::string_view line;
  if (!ids.empty()) {
    if (ids == file) return failed(ExitCode::usage, "--replay and --ids name the same file");
    LineFile list(ids);
    while (list.next(line))
      if (!line.empty() && !list.cut()) users.add(line);
    if (!list.error().empty()) return failed(ExitCode::failed, list.error());
  }
  LogReplay replay(ids.empty() ? nullptr : &users);
  LineFile log(file);
  while (log.next(line)) replay.add(line, log.number());
  if (!log.error().empty()) return failed(ExitCode::failed, log.error());
  if (replay.decided() == 0)
    return failed(ExitCode::failed,
                  fmt::format("{} has no decision that can be made again; is it an access log?", file));
  json report = replay.report();
  std::string view = view_replay(report);
  return {{.code = ExitCode::ok, .body = std::move(report), .error = {}},
          std::move(view),
          replay.mismatches() == 0 ? ExitCode::ok : ExitCode::failed};
}

}  // namespace gray::control
