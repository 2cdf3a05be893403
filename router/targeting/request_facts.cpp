#include "router/targeting/request_facts.hpp"

#include <algorithm>

#include "router/http/percent.hpp"
#include "router/targeting/pairs.hpp"

namespace gray::targeting {

using Source = FieldCondition::Source;

static_assert(kMaxRuleFields < UINT16_MAX && kMaxRuleValues + RequestFacts::kOther < UINT16_MAX);

Vocabulary::Vocabulary(const std::vector<Rule>& rules) {
  for (const Rule& rule : rules) {
    for (const FieldCondition& field : rule.fields) add(field);
    for (const std::string& path : rule.paths) paths_.add(path);
    for (const Cidr& network : rule.clients) networks_.add(network);
  }
  paths_.settle();
  networks_.settle();
}

void Vocabulary::add(const FieldCondition& field) {
  const auto source = static_cast<std::uint32_t>(field.source);
  const std::uint16_t slot = field.source == Source::header ? headers_.add(source, field.name, next_slot_)
                                                            : names_.add(source, field.name, next_slot_);
  lengths_[source] |= std::uint64_t{1} << (field.name.size() % 64);
  has_values_.resize(next_slot_);
  for (const std::string& value : field.values) {
    values_.add(slot, value, next_value_);
    has_values_[slot] = true;
  }
}

std::uint16_t Vocabulary::slot_of(const FieldCondition& field) const {
  const auto source = static_cast<std::uint32_t>(field.source);
  return *(field.source == Source::header ? headers_.find(source, field.name) : names_.find(source, field.name));
}

std::uint16_t Vocabulary::value_of(std::uint16_t slot, std::string_view value) const {
  return *values_.find(slot, value);
}

void Vocabulary::gather(const http::Request& request, const Address& client, RequestFacts& facts) const {
  std::fill_n(facts.value.begin(), next_slot_, RequestFacts::kAbsent);
  if (asks(Source::header)) gather_headers(request.fields, facts);
  if (asks(Source::cookie)) gather_cookies(request.fields, facts);
  if (asks(Source::query)) gather_parameters(request.path, facts);
  if (paths_.nesting().size() > 0) facts.path = paths_.find(request.path.substr(0, request.path.find('?')));
  facts.client = networks_.find(client);
}

std::optional<std::uint16_t> Vocabulary::unseen_slot(Source source, std::string_view name,
                                                     const RequestFacts& facts) const {
  if (!may_be_named(source, name)) return std::nullopt;
  const auto scope = static_cast<std::uint32_t>(source);
  const auto slot = source == Source::header ? headers_.find(scope, name) : names_.find(scope, name);
  return slot && facts.value[*slot] == RequestFacts::kAbsent ? slot : std::nullopt;
}

void Vocabulary::note(std::uint16_t slot, std::string_view value, RequestFacts& facts) const {
  facts.found[facts.found_count++] = slot;
  const bool comparable = has_values_[slot] && value.size() <= kMaxRuleValue;
  facts.value[slot] = comparable ? values_.find(slot, value).value_or(RequestFacts::kOther) : RequestFacts::kOther;
}

void Vocabulary::gather_headers(const http::Fields& fields, RequestFacts& facts) const {
  for (const http::Field& field : fields)
    if (const auto slot = unseen_slot(Source::header, field.name, facts)) note(*slot, field.value, facts);
  facts.looked_at += static_cast<std::uint32_t>(fields.count);
}

void Vocabulary::gather_cookies(const http::Fields& fields, RequestFacts& facts) const {
  for_each_cookie(fields, [&](std::string_view name, std::string_view raw) {
    ++facts.looked_at;
    if (const auto slot = unseen_slot(Source::cookie, name, facts)) note(*slot, cookie_text(raw), facts);
    return true;
  });
}

void Vocabulary::gather_parameters(std::string_view path_query, RequestFacts& facts) const {
  std::array<char, kMaxRuleValue> room;
  for_each_parameter(path_query, [&](std::string_view encoded, std::string_view raw) {
    ++facts.looked_at;
    const auto name = http::percent_decoded(encoded, room);
    const auto slot = name ? unseen_slot(Source::query, *name, facts) : std::nullopt;
    if (!slot) return true;
    if (const auto value = http::percent_decoded(raw, room)) {
      note(*slot, *value, facts);
    } else {
      facts.found[facts.found_count++] = *slot;  // a value that is longer than any in a rule
      facts.value[*slot] = RequestFacts::kOther;
    }
    return true;
  });
}

}  // namespace gray::targeting
