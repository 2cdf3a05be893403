#include "control/grayctl/why/bucket.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <utility>

#include "control/explain/explanation.hpp"
#include "control/grayctl/table.hpp"
#include "control/grayctl/why/line_file.hpp"
#include "router/policy/decision.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

Answer fault(ExitCode code, std::string error) { return {.code = code, .body = {}, .error = std::move(error)}; }

const json* version_in(const json& state, const std::string& name) {
  for (const json& version : state.at("versions"))
    if (version.at("name") == name) return &version;
  return nullptr;
}

/// The version that is asked about: as named, else the one with users, else the only one beside stable.
std::string asked_version(const json& state, const std::string& named, std::string& error) {
  if (!named.empty()) {
    if (state.at("stable") == named)
      error = fmt::format("{} is stable: name the version that is to get users with --version", named);
    return named;
  }
  if (state.at("canary").is_string()) return state.at("canary");
  std::vector<std::string> others;
  for (const json& version : state.at("versions"))
    if (version.at("name") != state.at("stable")) others.push_back(version.at("name"));
  if (others.size() == 1) return others.front();
  error = others.empty() ? fmt::format("{} has no version beside {}", state.at("service").get<std::string>(),
                                       state.at("stable").get<std::string>())
                         : "several versions could get users: name one with --version";
  return {};
}

UserShare share_in(const json& state, const std::string& version, double weight) {
  const json* found = version_in(state, version);
  return UserShare::of(version, found == nullptr ? "" : found->at("salt").get<std::string>(), weight);
}

double percent(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 0 : 100 * static_cast<double>(part) / static_cast<double>(all);
}

/// Writes the users as they come, and the summary at the end, as text or as one JSON object.
class BucketPrinter {
 public:
  BucketPrinter(const Command& command, bool as_json, json state, UserShare asked, std::ostream& out)
      : command_(command),
        json_(as_json),
        listed_(command.bucket.list || command.file.empty()),
        state_(std::move(state)),
        asked_(std::move(asked)),
        out_(out) {}

  void user(std::string_view id, const BucketCount::User& user) {
    if (!listed_) return;
    json_ ? json_user(id, user) : text_user(id, user);
  }
  void end(const BucketCount& count, const std::string& error) {
    json_ ? json_end(count, error) : text_end(count, error);
  }
  bool begun() const { return begun_; }

 private:
  void json_user(std::string_view id, const BucketCount::User& user) {
    if (!std::exchange(begun_, true)) out_ << "{\"ids\":[";
    json one = {{"id", id}, {"bucket", user.bucket}, {"now", user.now}};
    one["planned"] = user.planned.empty() ? json() : json(user.planned);
    out_ << (first_ ? "\n" : ",\n") << one.dump(-1, ' ', false, json::error_handler_t::replace);
    first_ = false;
  }
  void json_end(const BucketCount& count, const std::string& error) {
    json body = {{"schema_version", 1},
                 {"service", state_.at("service")},
                 {"version", asked_.version},
                 {"salt", asked_.salt},
                 {"stable", state_.at("stable")},
                 {"canary", state_.at("canary")},
                 {"weight", state_.at("weight")},
                 {"table", state_.at("table")},
                 {"rules", state_.value("rules", std::uint64_t{0})},
                 {"allowlist", state_.value("allowlist", std::uint64_t{0})},
                 {"summary", count.summary()}};
    if (command_.bucket.weight) body["planned"] = *command_.bucket.weight;
    if (!error.empty()) body.update({{"error", error}, {"exit_code", static_cast<int>(ExitCode::failed)}});
    const std::string rest = body.dump(-1, ' ', false, json::error_handler_t::replace);
    out_ << (begun_ ? "]," : "{") << rest.substr(1) << "\n";
  }
  void text_user(std::string_view id, const BucketCount::User& user) {
    const std::size_t width = widest_version();
    const bool plans = command_.bucket.weight.has_value();
    if (!std::exchange(begun_, true))
      out_ << fmt::format(
          "{:>11}  {:<{}}  {}USER\n", "BUCKET", "NOW", width,
          plans ? fmt::format("{:<{}}  ", planned_title(), std::max(width, planned_title().size())) : "");
    out_ << fmt::format("{:>9.5f} %  {:<{}}  ", user.bucket, user.now, width);
    if (plans) out_ << fmt::format("{:<{}}  ", user.planned, std::max(width, planned_title().size()));
    out_ << harmless(id) << "\n";
  }
  std::string planned_title() const { return fmt::format("AT {} %", text_of_percent(*command_.bucket.weight)); }
  std::size_t widest_version() const {
    std::size_t width = 3;
    for (const json& version : state_.at("versions"))
      width = std::max(width, version.at("name").get_ref<const std::string&>().size());
    return width;
  }
  /// What decides before the bucket, and is not computed here.
  void note_targets() {
    const auto rules = state_.value("rules", std::uint64_t{0}), users = state_.value("allowlist", std::uint64_t{0});
    if (rules + users > 0)
      out_ << fmt::format("  not counted: the allowlist ({} users) and {} rules, which decide before the bucket\n",
                          users, rules);
  }
  void text_end(const BucketCount& count, const std::string& error) {
    const json summary = count.summary();
    if (!error.empty()) return;
    if (listed_ && command_.file.empty()) return note_targets();
    out_ << fmt::format("{}{}: {} users, salt {}\n", begun_ ? "\n" : "", state_.at("service").get<std::string>(),
                        count.users(), asked_.salt);
    const auto shares = [&](const char* name, const std::string& title) {
      for (const auto& [version, users] : summary[name].items())
        out_ << fmt::format("  {:<9} {:<{}} {:>9} users, {:.3f} %\n", title, version, widest_version(),
                            users.get<std::uint64_t>(), percent(users.get<std::uint64_t>(), count.users()));
    };
    shares("now", "now");
    if (!command_.bucket.weight) return note_targets();
    shares("planned", fmt::format("at {} %", text_of_percent(*command_.bucket.weight)));
    movers(summary, "joins", fmt::format("get {}", asked_.version));
    movers(summary, "leaves", fmt::format("lose {}", asked_.version));
    note_targets();
  }
  void movers(const json& summary, const char* name, const std::string& words) {
    std::string examples;
    for (const json& id : summary[name]["examples"]) examples += (examples.empty() ? "" : ", ") + id.get<std::string>();
    const auto users = summary[name]["users"].get<std::uint64_t>();
    if (users > summary[name]["examples"].size()) examples += ", ...";
    out_ << harmless(fmt::format("  {} users {}{}{}", users, words, users > 0 ? ": " : "", examples)) << "\n";
  }

  const Command& command_;
  bool json_, listed_;
  json state_;
  UserShare asked_;
  std::ostream& out_;
  bool begun_ = false, first_ = true;
};

/// The error, or nothing.
std::string count_all(const Command& command, BucketCount& count, BucketPrinter& printer) {
  for (const std::string& id : command.bucket.ids)
    if (!id.empty()) printer.user(id, count.add(id));
  if (command.file.empty()) return {};
  LineFile file(command.file);
  for (std::string_view id; file.next(id);) {
    if (file.cut()) return fmt::format("line {} of {} is too long for a user", file.number(), command.file);
    if (!id.empty()) printer.user(id, count.add(id));
  }
  return file.error();
}

}  // namespace

UserShare UserShare::of(std::string version, std::string salt, double weight) {
  return {std::move(version), std::move(salt), weight, Threshold::of_percent(weight)};
}

BucketCount::BucketCount(std::string stable, std::optional<UserShare> now, UserShare asked, bool plans)
    : stable_(std::move(stable)), now_(std::move(now)), asked_(std::move(asked)), plans_(plans) {}

BucketCount::User BucketCount::add(std::string_view id) {
  ++users_;
  const std::uint64_t hash = policy::bucket_hash(asked_.salt, id);
  User user{.bucket = percent_of(hash), .now = stable_, .planned = {}};
  if (now_ && now_->threshold.takes(now_->salt == asked_.salt ? hash : policy::bucket_hash(now_->salt, id))) {
    user.now = now_->version;
    ++now_taken_;
  }
  if (!plans_) return user;
  user.planned = asked_.threshold.takes(hash) ? asked_.version : stable_;
  planned_taken_ += user.planned == asked_.version;
  const auto note = [id](std::uint64_t& counter, std::vector<std::string>& examples) {
    ++counter;
    if (examples.size() < kMostExamples) examples.emplace_back(id);
  };
  if (user.moves() && user.planned == asked_.version) note(joins_, join_examples_);
  if (user.moves() && user.now == asked_.version) note(leaves_, leave_examples_);
  return user;
}

json BucketCount::summary() const {
  json now = {{stable_, users_ - now_taken_}}, planned = json::object();
  if (now_) now[now_->version] = now_taken_;
  if (plans_) planned = {{stable_, users_ - planned_taken_}, {asked_.version, planned_taken_}};
  return {{"users", users_},
          {"now", std::move(now)},
          {"planned", std::move(planned)},
          {"joins", {{"users", joins_}, {"examples", join_examples_}}},
          {"leaves", {{"users", leaves_}, {"examples", leave_examples_}}}};
}

Printed run_bucket(Client& client, const Command& command, bool as_json, std::ostream& out) {
  if (command.file.empty() == command.bucket.ids.empty())
    return {fault(ExitCode::usage, "name users, or a file with one a line: grayctl bucket SERVICE --file FILE")};
  json args = {{"service", command.service}};
  if (!command.version.empty()) args["version"] = command.version;
  Answer state = client.get("bucket", args);
  if (state.code != ExitCode::ok) return {std::move(state)};
  std::string error;
  const std::string version = asked_version(state.body, command.version, error);
  if (!error.empty()) return {fault(ExitCode::usage, std::move(error))};
  std::optional<UserShare> now;
  if (state.body.at("canary").is_string()) now = share_in(state.body, state.body["canary"], state.body.at("weight"));
  UserShare asked = share_in(state.body, version, command.bucket.weight.value_or(0));
  if (!command.bucket.salt.empty()) asked.salt = command.bucket.salt;
  BucketCount count(state.body.at("stable"), std::move(now), asked, command.bucket.weight.has_value());
  BucketPrinter printer(command, as_json, state.body, asked, out);
  error = count_all(command, count, printer);
  if (!error.empty() && !printer.begun()) return {fault(ExitCode::failed, std::move(error))};
  printer.end(count, error);
  if (error.empty()) return {std::move(state), true};
  return {fault(ExitCode::failed, std::move(error)), true};
}

}  // namespace gray::control
