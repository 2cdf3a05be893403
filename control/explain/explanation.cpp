#include "control/explain/explanation.hpp"

#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace gray::control {
namespace {

using nlohmann::json;
using policy::Outcome;
using policy::Source;
using policy::Step;
using segment::Decision;

constexpr double kAllHashes = 18446744073709551616.0;  // 2^64
constexpr int kMostDecimals = 12;
constexpr const char* kArrow = " → ";

const char* name_of_source(Source source) {
  switch (source) {
    case Source::param: return "param";
    case Source::header: return "header";
    case Source::cookie: return "cookie";
    case Source::identity: return "identity";
    case Source::allowlist: return "allowlist";
    case Source::rule: return "rule";
    case Source::bucket: return "bucket";
  }
  return "";
}

const char* name_of_outcome(Outcome outcome) {
  switch (outcome) {
    case Outcome::off: return "off";
    case Outcome::absent: return "absent";
    case Outcome::not_allowed: return "not-allowed";
    case Outcome::unknown: return "unknown";
    case Outcome::removed: return "removed";
    case Outcome::named: return "named";
    case Outcome::found: return "found";
    case Outcome::issued: return "issued";
    case Outcome::listed: return "listed";
    case Outcome::not_listed: return "not-listed";
    case Outcome::matches: return "matches";
    case Outcome::no_match: return "no-match";
    case Outcome::no_target: return "no-target";
    case Outcome::target_down: return "target-down";
    case Outcome::no_canary: return "no-canary";
    case Outcome::no_identity: return "no-identity";
    case Outcome::outside: return "outside";
    case Outcome::inside: return "inside";
    case Outcome::canary_down: return "canary-down";
  }
  return "";
}

/// "cookie:uid" and "77" as "cookie uid=77".
std::string user_text(const Explanation::User& user) {
  const auto value = [&](std::string name) { return user.text.empty() ? name : fmt::format("{}={}", name, user.text); };
  const std::size_t colon = user.source.find(':');
  const std::string kind = user.source.substr(0, colon);
  if (colon == std::string::npos) return user.text.empty() ? "client address" : "client " + user.text;
  return (kind == "issue" ? "cookie " : kind + " ") + value(user.source.substr(colon + 1));
}

std::string bucket_words(const Explanation& it) {
  const bool takes = it.threshold.takes(it.user->hash);
  return fmt::format("{} % {} {} %", bucket_text(it.user->hash, it.threshold), takes ? "<" : "≥",
                     text_of_percent(percent_of(it.threshold)));
}

/// Why a user to whom `version` was given gets stable.
std::string fallback_words(const Explanation& it, const std::string& version) {
  if (!it.canary_failure.empty()) return fmt::format("{} failed ({})", version, it.canary_failure);
  return version + (it.logged ? " had no usable worker, or lost its users" : " has no usable worker");
}

/// The version that the allowlist or the rule names: a role or a name, in a log neither.
std::string target_words(const Explanation& it) {
  for (const Step& step : it.steps)
    if (step.outcome == Outcome::target_down && !step.version.empty()) return step.version;
  return "its version";
}

std::string by_target(const Explanation& it, Decision decision, const std::string& version) {
  std::string text = !it.rule.empty() ? "rule " + it.rule : "allowlist";
  if (it.rule.empty() && it.user) text = user_text(*it.user) + kArrow + text;
  if (decision == Decision::fallback) text += kArrow + fallback_words(it, target_words(it));
  return text + kArrow + (version == it.stable ? "stable " : version == it.canary ? "canary " : "") + version;
}

std::string by_users(const Explanation& it, Decision decision) {
  if (it.canary.empty()) return fmt::format("no version has users beside stable{}stable {}", kArrow, it.stable);
  if (!it.user) return fmt::format("no identity{}stable {}", kArrow, it.stable);
  std::string text = fmt::format("{}{}bucket {}{}", user_text(*it.user), kArrow, bucket_words(it), kArrow);
  if (decision == Decision::bucket) return text + "canary " + it.canary;
  if (decision == Decision::fallback) text += fallback_words(it, it.canary) + kArrow;
  return text + "stable " + it.stable;
}

/// "param version=v2 → v2": the name and the value are not in the log.
std::string by_name(const Explanation& it, Decision decision, const std::string& version) {
  std::string text = segment::name_of(decision);
  for (const Step& step : it.steps)
    if (step.outcome == Outcome::named && !step.name.empty()) text += fmt::format(" {}={}", step.name, step.value);
  return text + kArrow + version;
}

std::string by_decision(const Explanation& it, Decision decision, const std::string& version) {
  switch (decision) {
    case Decision::param:
    case Decision::header:
    case Decision::cookie: return by_name(it, decision, version);
    case Decision::allowlist:
    case Decision::rule: return by_target(it, decision, version);
    default: return it.listed || !it.rule.empty() ? by_target(it, decision, version) : by_users(it, decision);
  }
}

std::string named_words(const Step& step, const Explanation& it) {
  switch (step.outcome) {
    case Outcome::off: return "not used by this service";
    case Outcome::absent: return step.name + ": absent";
    case Outcome::not_allowed:
      return fmt::format("{}: {}, does not count: {} is not in override_from", step.name, step.value,
                         it.peer.empty() ? "the peer" : it.peer);
    case Outcome::unknown:
      return fmt::format("{}: {}, which is not a version of {}", step.name, step.value, it.service);
    case Outcome::removed: return step.name + ": does not count, because this request removes it";
    case Outcome::issued: return fmt::format("{}: {}, set by this answer", step.name, step.value);
    default: break;
  }
  if (step.name.empty() || step.value.empty()) return step.name + step.value;
  return fmt::format("{}: {}", step.name, step.value);
}

std::string allowlist_words(const Step& step) {
  switch (step.outcome) {
    case Outcome::listed: return "the user is in it: " + step.version;
    case Outcome::not_listed: return "the user is not in it";
    case Outcome::no_identity: return "nothing identifies the user";
    case Outcome::no_target: return fmt::format("not used: {} cannot be chosen now", step.version);
    case Outcome::target_down: return fmt::format("the user is in it, but {} has no usable worker", step.version);
    default: return step.value;
  }
}

std::string rule_words(const Step& step) {
  if (step.name.empty()) return step.value + " do not match";
  const std::string text = fmt::format("{}: {}", step.name, step.value);
  switch (step.outcome) {
    case Outcome::matches: return step.value.empty() ? step.name : text + kArrow + step.version;
    case Outcome::no_target: return fmt::format("{}; it matches, but {} cannot be chosen now", text, step.version);
    case Outcome::target_down: return fmt::format("{}; it matches, but {} has no usable worker", text, step.version);
    default: return text + ", does not match";
  }
}

std::string bucket_step_words(const Step& step, const Explanation& it) {
  if (step.outcome == Outcome::no_canary) return "no version has users beside stable";
  if (step.outcome == Outcome::no_identity || !it.user) return "nothing identifies the user";
  std::string text = fmt::format("{} of salt {}, hash {:016x}", bucket_words(it), it.salt, it.user->hash);
  if (step.outcome == Outcome::canary_down) text += "; " + fallback_words(it, it.canary);
  return text;
}

json step_json(const Step& step, const Explanation& it) {
  return {{"source", name_of_source(step.source)},
          {"name", step.name},
          {"value", step.value},
          {"version", step.version},
          {"outcome", name_of_outcome(step.outcome)},
          {"label", words_of(step, it).label},
          {"text", words_of(step, it).text}};
}

json user_json(const Explanation& it) {
  if (!it.user) return nullptr;
  return {{"source", it.user->source},
          {"value", it.user->text.empty() ? json() : json(it.user->text)},
          {"hash", fmt::format("{:016x}", it.user->hash)},
          {"bucket", percent_of(it.user->hash)}};
}

}  // namespace

std::string summary_of(const Explanation& it) {
  if (it.service.empty()) return fmt::format("no service takes this host and path{}404 no-route", kArrow);
  const std::string down = it.down ? std::string(kArrow) + "no usable worker: 503 version-down" : "";
  if (it.asked_first.empty()) return by_decision(it, it.decision, it.version) + down;
  const std::string first = by_decision(it, it.first_decision, it.asked_first) + " does not have the file";
  return it.decision == Decision::asset ? first + kArrow + it.version : first + ", nor has any other version";
}

StepWords words_of(const Step& step, const Explanation& it) {
  std::string text;
  switch (step.source) {
    case Source::allowlist: text = allowlist_words(step); break;
    case Source::rule: text = rule_words(step); break;
    case Source::bucket: text = bucket_step_words(step, it); break;
    default: text = named_words(step, it);
  }
  return {name_of_source(step.source), std::move(text)};
}

json json_of(const Explanation& it) {
  json steps = json::array();
  for (const Step& step : it.steps) steps.push_back(step_json(step, it));
  return {{"schema_version", 1},
          {"text", summary_of(it)},
          {"service", it.service},
          {"version", it.version},
          {"decision", segment::name_of(it.decision)},
          {"version_up", !it.down},
          {"stable", it.stable},
          {"canary", it.canary.empty() ? json() : json(it.canary)},
          {"weight", percent_of(it.threshold)},
          {"salt", it.salt},
          {"threshold", text_of(it.threshold)},
          {"table", it.table},
          {"rule", it.rule.empty() ? json() : json(it.rule)},
          {"identity", user_json(it)},
          {"asset", it.asset},
          {"steps", std::move(steps)}};
}

double percent_of(std::uint64_t hash) { return static_cast<double>(hash) / kAllHashes * 100; }

/// A weight has at most seven decimals; its threshold is not exactly a multiple of them.
double percent_of(const Threshold& threshold) {
  return threshold.everyone ? 100 : std::round(percent_of(threshold.below) * 1e7) / 1e7;
}

std::string text_of_percent(double percent) {
  std::string text = fmt::format("{:.7f}", percent);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

std::string bucket_text(std::uint64_t hash, const Threshold& threshold) {
  const double bucket = percent_of(hash), weight = percent_of(threshold);
  std::string text;
  for (int decimals = 1; decimals <= kMostDecimals; ++decimals) {
    text = fmt::format("{:.{}f}", bucket, decimals);
    if ((std::strtod(text.c_str(), nullptr) < weight) == threshold.takes(hash)) break;
  }
  return text;
}

std::string text_of(const Threshold& threshold) {
  return threshold.everyone ? "all" : fmt::format("{:016x}", threshold.below);
}

}  // namespace gray::control
