#include "router/targeting/rule_index.hpp"

#include <algorithm>

namespace gray::targeting {

RuleIndex::RuleIndex(const std::vector<Rule>& rules) : vocabulary_(rules) {
  hanging(Condition::Kind::value).resize(vocabulary_.values());
  hanging(Condition::Kind::present).resize(vocabulary_.slots());
  hanging(Condition::Kind::client).resize(vocabulary_.networks().nesting().size());
  hanging(Condition::Kind::path).resize(vocabulary_.paths().nesting().size());
  for (std::uint32_t rule = 0; rule < rules.size(); ++rule) {
    rules_.push_back({.target = target_number(rules[rule].version), .conditions = {}});
    hang(rule, conditions_of(rules[rule]));
  }
  path_with_rules_ = sets_with_rules(Condition::Kind::path, vocabulary_.paths().nesting());
  network_with_rules_ = sets_with_rules(Condition::Kind::client, vocabulary_.networks().nesting());
}

/// A set comes after those around it.
std::vector<std::uint32_t> RuleIndex::sets_with_rules(Condition::Kind kind, const Nesting& nesting) const {
  std::vector<std::uint32_t> nearest(nesting.size(), Nesting::kNone);
  for (std::uint32_t set = 0; set < nearest.size(); ++set) {
    const std::uint32_t outer = nesting.outer(set);
    nearest[set] = !rules_at(kind, set).empty() ? set : outer == Nesting::kNone ? outer : nearest[outer];
  }
  return nearest;
}

std::uint32_t RuleIndex::target_number(const std::string& version) {
  const auto known = std::ranges::find(targets_, version);
  if (known == targets_.end()) targets_.push_back(version);
  return static_cast<std::uint32_t>(std::ranges::find(targets_, version) - targets_.begin());
}

RuleIndex::Slice RuleIndex::keep(const std::vector<std::uint32_t>& numbers) {
  const Slice slice{static_cast<std::uint32_t>(numbers_.size()), static_cast<std::uint32_t>(numbers.size())};
  numbers_.insert(numbers_.end(), numbers.begin(), numbers.end());
  return slice;
}

RuleIndex::Condition RuleIndex::set_condition(Condition::Kind kind, std::vector<std::uint32_t> sets,
                                              const Nesting& nesting) {
  return {.kind = kind, .slot = 0, .numbers = keep(nesting.outermost(std::move(sets)))};
}

std::vector<RuleIndex::Condition> RuleIndex::conditions_of(const Rule& rule) {
  std::vector<Condition> all;
  for (const FieldCondition& field : rule.fields) {
    const std::uint16_t slot = vocabulary_.slot_of(field);
    std::vector<std::uint32_t> values;
    for (const std::string& value : field.values) values.push_back(vocabulary_.value_of(slot, value));
    std::ranges::sort(values);
    if (values.empty())
      all.push_back({.kind = Condition::Kind::present, .slot = slot, .numbers = keep({slot})});
    else
      all.push_back({.kind = Condition::Kind::value, .slot = slot, .numbers = keep(values)});
  }
  std::vector<std::uint32_t> networks, paths;
  for (const Cidr& network : rule.clients) networks.push_back(vocabulary_.networks().number_of(network));
  for (const std::string& path : rule.paths) paths.push_back(vocabulary_.paths().number_of(path));
  if (!networks.empty())
    all.push_back(set_condition(Condition::Kind::client, std::move(networks), vocabulary_.networks().nesting()));
  if (!paths.empty())
    all.push_back(set_condition(Condition::Kind::path, std::move(paths), vocabulary_.paths().nesting()));
  return all;
}

/// Among equally loaded conditions the first: a value is rarer in requests than a path.
void RuleIndex::hang(std::uint32_t rule, std::vector<Condition> conditions) {
  const auto load = [this](const Condition& condition) {
    std::size_t most = 0;
    for (const std::uint32_t number : numbers(condition))
      most = std::max(most, rules_at(condition.kind, number).size());
    return most;
  };
  const auto chosen = std::ranges::min_element(conditions, {}, load);
  for (const std::uint32_t number : numbers(*chosen))
    hanging(chosen->kind)[number].push_back(static_cast<std::uint16_t>(rule));
  conditions.erase(chosen);
  rules_[rule].conditions = {static_cast<std::uint32_t>(conditions_.size()),
                             static_cast<std::uint32_t>(conditions.size())};
  conditions_.insert(conditions_.end(), conditions.begin(), conditions.end());
}

bool RuleIndex::holds(const Condition& condition, const RequestFacts& facts) const {
  switch (condition.kind) {
    case Condition::Kind::value: {
      const std::uint16_t value = facts.value[condition.slot];
      return value > RequestFacts::kOther && std::ranges::binary_search(numbers(condition), value);
    }
    case Condition::Kind::present: return facts.value[condition.slot] != RequestFacts::kAbsent;
    case Condition::Kind::client:
      return vocabulary_.networks().nesting().any_contains(numbers(condition), facts.client);
    case Condition::Kind::path: return vocabulary_.paths().nesting().any_contains(numbers(condition), facts.path);
  }
  return false;
}

RuleIndex::Search RuleIndex::search(const http::Request& request, const Address& client,
                                    std::span<const std::uint32_t> versions) const {
  RequestFacts facts;
  vocabulary_.gather(request, client, facts);
  std::uint32_t best = kNoVersion, steps = facts.looked_at;
  const auto matches = [&](const Compiled& rule) {
    if (versions[rule.target] == kNoVersion) return false;
    const std::span conditions(conditions_.data() + rule.conditions.begin, rule.conditions.count);
    return std::ranges::all_of(conditions, [&](const Condition& one) { return ++steps, holds(one, facts); });
  };
  const auto visit = [&](Condition::Kind kind, std::uint32_t number) {
    for (const std::uint16_t rule : rules_at(kind, number)) {
      ++steps;
      if (rule >= best) return;
      if (matches(rules_[rule])) best = rule;
    }
  };
  for (std::uint32_t i = 0; i < facts.found_count; ++i) {
    const std::uint16_t slot = facts.found[i];
    visit(Condition::Kind::present, slot);
    visit(Condition::Kind::value, facts.value[slot]);
  }
  const auto climb = [&](Condition::Kind kind, const auto& nearest, const Nesting& nesting, std::uint32_t set) {
    for (; set != Nesting::kNone; set = nesting.outer(set), ++steps) {
      set = nearest[set];
      if (set == Nesting::kNone) return;
      visit(kind, set);
    }
  };
  climb(Condition::Kind::client, network_with_rules_, vocabulary_.networks().nesting(), facts.client);
  climb(Condition::Kind::path, path_with_rules_, vocabulary_.paths().nesting(), facts.path);
  return {best == kNoVersion ? std::nullopt : std::optional(best), steps};
}

}  // namespace gray::targeting
