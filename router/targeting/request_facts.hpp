#pragma once
// What the rules of a service ask about, and what one request answers. Each header, cookie and parameter that a rule
// names has a slot, each value of it a number, each path and network a set. A request is read once, whatever the number
// of rules: each of its fields, cookies and parameters costs one look-up of its name, and one of its value if a rule
// names it.
//
// Of several fields, cookies or parameters with the same name the first counts.
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "config/base/address.hpp"
#include "config/settings/targeting.hpp"
#include "router/http/message.hpp"
#include "router/targeting/nesting.hpp"
#include "router/targeting/text_table.hpp"

namespace gray::targeting {

/// Left uninitialised where gather() did not write: it is on the stack of every request.
struct RequestFacts {
  static constexpr std::uint16_t kAbsent = 0, kOther = 1;  // kOther: a value that no rule names

  std::uint32_t path = Nesting::kNone, client = Nesting::kNone;  // the smallest set around it
  std::uint32_t found_count = 0;
  std::uint32_t looked_at = 0;                      // fields, cookies and parameters
  std::array<std::uint16_t, kMaxRuleFields> found;  // the slots that are present
  std::array<std::uint16_t, kMaxRuleFields> value;  // by slot
};

class Vocabulary {
 public:
  explicit Vocabulary(const std::vector<Rule>& rules);

  void gather(const http::Request& request, const Address& client, RequestFacts& facts) const;

  std::uint16_t slots() const { return next_slot_; }
  /// Numbers of values are from kOther + 1 to below this.
  std::uint16_t values() const { return next_value_; }
  std::uint16_t slot_of(const FieldCondition& field) const;
  std::uint16_t value_of(std::uint16_t slot, std::string_view value) const;
  const PathSets& paths() const { return paths_; }
  const NetworkSets& networks() const { return networks_; }

 private:
  static constexpr std::size_t kSources = 3;
  void add(const FieldCondition& field);
  bool may_be_named(FieldCondition::Source source, std::string_view name) const {
    return (lengths_[static_cast<std::size_t>(source)] >> (name.size() % 64) & 1) != 0;
  }
  bool asks(FieldCondition::Source source) const { return lengths_[static_cast<std::size_t>(source)] != 0; }
  std::optional<std::uint16_t> unseen_slot(FieldCondition::Source source, std::string_view name,
                                           const RequestFacts& facts) const;
  void note(std::uint16_t slot, std::string_view value, RequestFacts& facts) const;
  void gather_headers(const http::Fields& fields, RequestFacts& facts) const;
  void gather_cookies(const http::Fields& fields, RequestFacts& facts) const;
  void gather_parameters(std::string_view path_query, RequestFacts& facts) const;

  TextTable<Case::ignored> headers_;
  TextTable<Case::counts> names_;                  // of cookies and parameters, by source
  TextTable<Case::counts> values_;                 // by slot
  std::array<std::uint64_t, kSources> lengths_{};  // a bit for each length of a name, modulo 64
  std::vector<bool> has_values_;                   // by slot
  std::uint16_t next_slot_ = 0, next_value_ = RequestFacts::kOther + 1;
  PathSets paths_;
  NetworkSets networks_;
};

}  // namespace gray::targeting
