#pragma once
// The rules of a service, compiled: the first one that matches a request, at a cost that hardly depends on their
// number. Made once for a routing table, and kept while the rules do not change; read by all threads.
//
// Model: each rule hangs at one of its conditions, the one at which the fewest other rules hang: at the values of a
// header, cookie or parameter, at its presence, at paths or at networks. A request is read once (request_facts.hpp);
// the rules that hang at what it has are the only candidates, in the order of the file, and their other conditions are
// compared as numbers. Rules whose version cannot be chosen now are passed over.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/settings/targeting.hpp"
#include "router/targeting/request_facts.hpp"

namespace gray::targeting {

class RuleIndex {
 public:
  /// In the place of a version that cannot be chosen now.
  static constexpr std::uint32_t kNoVersion = UINT32_MAX;

  explicit RuleIndex(const std::vector<Rule>& rules);

  /// The versions that the rules name, each once: roles and names.
  const std::vector<std::string>& targets() const { return targets_; }
  /// The index in it of the version of a rule.
  std::uint32_t target_of(std::uint32_t rule) const { return rules_[rule].target; }

  /// The index of the first rule that matches and whose version can be chosen. `versions`: by target, or kNoVersion.
  std::optional<std::uint32_t> find(const http::Request& request, const Address& client,
                                    std::span<const std::uint32_t> versions) const {
    return search(request, client, versions).rule;
  }
  struct Search {
    std::optional<std::uint32_t> rule;
    std::uint32_t steps = 0;  // names looked up, candidates and their conditions: what the search costs
  };
  Search search(const http::Request& request, const Address& client, std::span<const std::uint32_t> versions) const;

 private:
  struct Slice {
    std::uint32_t begin = 0, count = 0;
  };
  struct Condition {
    enum class Kind : std::uint8_t { value, present, client, path };
    Kind kind = Kind::present;
    std::uint16_t slot = 0;
    Slice numbers;  // in numbers_, rising: of values, or of sets
  };
  struct Compiled {
    std::uint32_t target = 0;
    Slice conditions;  // all but the one at which it hangs
  };
  /// Of each value, slot or set, the rules that hang at it.
  using Hanging = std::vector<std::vector<std::uint16_t>>;
  struct Build;

  std::vector<Condition> conditions_of(const Rule& rule);
  Condition set_condition(Condition::Kind kind, std::vector<std::uint32_t> sets, const Nesting& nesting);
  Slice keep(const std::vector<std::uint32_t>& numbers);
  std::uint32_t target_number(const std::string& version);
  void hang(std::uint32_t rule, std::vector<Condition> conditions);
  std::span<const std::uint32_t> numbers(const Condition& condition) const {
    return {numbers_.data() + condition.numbers.begin, condition.numbers.count};
  }
  Hanging& hanging(Condition::Kind kind) { return hanging_[static_cast<std::size_t>(kind)]; }
  const std::vector<std::uint16_t>& rules_at(Condition::Kind kind, std::uint32_t number) const {
    return hanging_[static_cast<std::size_t>(kind)][number];
  }
  std::vector<std::uint32_t> sets_with_rules(Condition::Kind kind, const Nesting& nesting) const;
  bool holds(const Condition& condition, const RequestFacts& facts) const;

  Vocabulary vocabulary_;
  std::vector<std::string> targets_;
  std::vector<Compiled> rules_;
  std::vector<Condition> conditions_;
  std::vector<std::uint32_t> numbers_;
  Hanging hanging_[4];  // by Condition::Kind
  // By path and by network: itself or the smallest set around it at which rules hang, so that sets without rules of
  // their own cost nothing.
  std::vector<std::uint32_t> path_with_rules_, network_with_rules_;
};

}  // namespace gray::targeting
