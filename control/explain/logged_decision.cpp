#include "control/explain/logged_decision.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "router/policy/decision.hpp"

namespace gray::control {
namespace {

using nlohmann::json;
using segment::Decision;
using Line = LoggedDecision;

constexpr std::pair<std::string_view, std::string Line::*> kTexts[] = {
    {"time", &Line::time},
    {"request_id", &Line::request_id},
    {"client", &Line::client},
    {"method", &Line::method},
    {"host", &Line::host},
    {"path", &Line::path},
    {"reason", &Line::reason},
    {"service", &Line::service},
    {"version", &Line::version},
    {"worker", &Line::worker},
    {"decision", &Line::decision_name},
    {"first_decision", &Line::first_decision_name},
    {"identity_source", &Line::identity_source},
    {"salt", &Line::salt},
    {"threshold", &Line::threshold_text},
    {"stable", &Line::stable},
    {"canary", &Line::canary},
    {"asked_first", &Line::asked_first},
    {"canary_failure", &Line::canary_failure},
    {"rule", &Line::rule},
};
constexpr std::pair<std::string_view, std::uint64_t Line::*> kNumbers[] = {
    {"status", &Line::status},           {"table", &Line::table},
    {"retries", &Line::retries},         {"bytes_out", &Line::bytes_out},
    {"duration_us", &Line::duration_us}, {"queued_us", &Line::queued_us},
};

template <class Members>
auto member_of(const Members& members, std::string_view name) -> decltype(members[0].second) {
  for (const auto& [its, member] : members)
    if (its == name) return member;
  return nullptr;
}

std::optional<std::uint64_t> hex_of(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc{} || end != text.data() + text.size() || text.size() != 16) return std::nullopt;
  return value;
}

/// Fills a line from the events of the parser: no tree of values is built.
class LineReader : public json::json_sax_t {
 public:
  explicit LineReader(Line& line) : line_(line) {}

  bool key(std::string& name) override {
    name_ = name;
    has_canary_ |= name == "canary";
    has_source_ |= name == "identity_source";
    has_decision_ |= name == "decision";
    return true;
  }
  bool string(std::string& value) override {
    if (const auto member = member_of(kTexts, name_)) return (line_.*member).assign(value), depth_ == 1;
    if (name_ == "identity_hash") return (line_.identity_hash = hex_of(value)).has_value();
    return is_unknown();
  }
  bool number_unsigned(std::uint64_t value) override {
    if (const auto member = member_of(kNumbers, name_)) return line_.*member = value, depth_ == 1;
    return is_unknown();
  }
  bool boolean(bool value) override {
    if (name_ == "fallback") return line_.fallback = value, depth_ == 1;
    if (name_ == "listed") return line_.listed = value, depth_ == 1;
    return is_unknown();
  }
  bool null() override {
    return is_unknown() || (depth_ == 1 && (name_ == "identity_source" || name_ == "identity_hash"));
  }
  bool number_integer(std::int64_t) override { return false; }
  bool number_float(double, const std::string&) override { return false; }
  bool binary(json::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return ++depth_ == 1; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return false; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

  bool is_line() const { return has_decision_; }
  bool is_complete() const { return has_canary_ && has_source_; }

 private:
  /// A member that does not matter here may have any value without members.
  bool is_unknown() const {
    const bool known = member_of(kTexts, name_) != nullptr || member_of(kNumbers, name_) != nullptr ||
                       name_ == "identity_hash" || name_ == "fallback" || name_ == "listed";
    return depth_ == 1 && !known;
  }

  Line& line_;
  std::string name_;
  int depth_ = 0;
  bool has_canary_ = false, has_source_ = false, has_decision_ = false;
};

void clear(Line& line) {
  for (const auto& [name, member] : kTexts) (line.*member).clear();
  for (const auto& [name, member] : kNumbers) line.*member = 0;
  line.identity_hash.reset();
  line.fallback = line.listed = line.complete = false;
  line.threshold = {};
}

/// Decision::count: not known.
Decision decision_from(std::string_view name) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Decision::count); ++i)
    if (name == segment::name_of(static_cast<Decision>(i))) return static_cast<Decision>(i);
  return Decision::count;
}

/// The request, the allowlist or a rule chose the version, which only the line itself has.
bool is_chosen(Decision decision) {
  return decision == Decision::param || decision == Decision::header || decision == Decision::cookie ||
         decision == Decision::allowlist || decision == Decision::rule;
}

/// The decision before other versions were asked for a file.
Decision first_decision(const Line& line) {
  return decision_from(line.asked_first.empty() ? line.decision_name : line.first_decision_name);
}

const std::string& first_version(const Line& line) {
  return line.asked_first.empty() ? line.version : line.asked_first;
}

std::string difference_in(std::string_view member, std::string_view logged, std::string_view again) {
  return fmt::format("{} \"{}\", decided again: \"{}\"", member, logged, again);
}

/// What the line says about allowlist and rules, against its decision.
std::string target_contradiction(const Line& line, Decision first) {
  if (first == Decision::rule && line.rule.empty()) return "decision \"rule\" without rule";
  if (!line.rule.empty() && first != Decision::rule && first != Decision::fallback)
    return "rule without such a decision";
  if (line.listed && first != Decision::allowlist && first != Decision::fallback)
    return "listed without such a decision";
  if (line.listed && !line.rule.empty()) return "listed, and a rule";
  if ((line.listed || first == Decision::allowlist) && !line.identity_hash) return "allowlist without identity";
  return {};
}

/// What contradicts itself within the line, whatever was decided; empty: nothing.
std::string contradiction(const Line& line, Decision first) {
  if (line.identity_source.empty() == line.identity_hash.has_value())
    return "identity_source and identity_hash: one is null, the other is not";
  if (line.canary.empty() && (line.threshold.everyone || line.threshold.below != 0)) return "threshold without canary";
  if (line.fallback != (decision_from(line.decision_name) == Decision::fallback))
    return fmt::format("fallback {}, decision \"{}\"", line.fallback, line.decision_name);
  if (!line.canary_failure.empty() && first != Decision::fallback) return "canary_failure without fallback";
  const bool moved = line.decision_name == "asset";
  if (moved && (line.asked_first.empty() || line.version == line.asked_first))
    return "decision \"asset\" by the version that was asked first";
  if (!line.asked_first.empty() && !moved)
    if (line.version != line.asked_first || line.decision_name != line.first_decision_name)
      return "asked_first is not the version that answered, and the decision is not \"asset\"";
  return target_contradiction(line, first);
}

}  // namespace

bool LoggedDecision::read(std::string_view line) {
  clear(*this);
  LineReader reader(*this);
  if (!json::sax_parse(line.begin(), line.end(), &reader) || !reader.is_line()) return false;
  complete = reader.is_complete();
  threshold.everyone = threshold_text == "all";
  const auto below = threshold.everyone ? std::optional<std::uint64_t>(0) : hex_of(threshold_text);
  threshold.below = below.value_or(0);
  return below.has_value();
}

const char* name_of(Replay replay) {
  constexpr const char* names[] = {"same", "differs", "damaged", "older", "no-service", "unknown-decision"};
  static_assert(std::size(names) == static_cast<std::size_t>(Replay::count));
  return names[static_cast<std::size_t>(replay)];
}

Replay decide_again(const LoggedDecision& line, std::string& difference) {
  if (!line.complete) return Replay::older;
  if (line.decision_name.empty()) return Replay::no_service;
  const Decision first = first_decision(line);
  if (first == Decision::count || decision_from(line.decision_name) == Decision::count) return Replay::unknown;
  difference = contradiction(line, first);
  if (!difference.empty()) return Replay::differs;
  Decision again = first;
  const bool targeted = line.listed || !line.rule.empty();  // stable replaces the version, so nothing is left to decide
  if (!is_chosen(first) && !targeted)
    again = policy::by_bucket(!line.canary.empty(), line.identity_hash.has_value(), line.identity_hash.value_or(0),
                              line.threshold, first != Decision::fallback);
  if (again != first) {
    difference = difference_in("decision", segment::name_of(first), segment::name_of(again));
    return Replay::differs;
  }
  const std::string& version = again == Decision::bucket ? line.canary : line.stable;
  if (is_chosen(first) ? !first_version(line).empty() : first_version(line) == version) return Replay::same;
  difference = difference_in("version", first_version(line), is_chosen(first) ? "a version" : version);
  return Replay::differs;
}

Explanation explain_line(const LoggedDecision& line) {
  using policy::Outcome;
  using policy::Source;
  Explanation it{.service = line.service,
                 .table = line.table,
                 .stable = line.stable,
                 .canary = line.canary,
                 .salt = line.salt,
                 .threshold = line.threshold,
                 .version = line.version,
                 .decision = decision_from(line.decision_name),
                 .down = line.reason == "version-down",
                 .logged = true,
                 .canary_failure = line.canary_failure,
                 .asked_first = line.asked_first,
                 .first_decision = first_decision(line)};
  if (line.identity_hash) it.user = Explanation::User{line.identity_source, {}, *line.identity_hash};
  const Decision first = it.first_decision;
  for (const auto& [decision, source] : {std::pair{Decision::param, Source::param},
                                         {Decision::header, Source::header},
                                         {Decision::cookie, Source::cookie}})
    if (first == decision) it.steps.push_back({source, Outcome::named, {}, first_version(line)});
  if (it.user) it.steps.push_back({Source::identity, Outcome::found, line.identity_source, {}});
  it.rule = line.rule;
  it.listed = line.listed || first == Decision::allowlist;
  if (it.listed)
    it.steps.push_back(
        {Source::allowlist, Outcome::listed, {}, {}, it.listed && !line.listed ? first_version(line) : "its version"});
  if (!line.rule.empty()) it.steps.push_back({Source::rule, Outcome::matches, line.rule, {}});
  if (is_chosen(first) || it.listed || !line.rule.empty() || first == Decision::none) return it;
  const Outcome bucket = it.canary.empty()             ? Outcome::no_canary
                         : !it.user                    ? Outcome::no_identity
                         : first == Decision::bucket   ? Outcome::inside
                         : first == Decision::fallback ? Outcome::canary_down
                                                       : Outcome::outside;
  it.steps.push_back({Source::bucket, bucket, {}, {}});
  return it;
}

}  // namespace gray::control
