#include "router/targeting/rule_trace.hpp"

#include <algorithm>
#include <array>

#include "config/base/network_set.hpp"
#include "router/http/path_order.hpp"
#include "router/http/percent.hpp"
#include "router/targeting/pairs.hpp"

namespace gray::targeting {
namespace {

using Found = std::optional<std::string>;

/// "A", "A or B", "A, B or C".
std::string one_of(const std::vector<std::string>& texts) {
  std::string list;
  for (std::size_t i = 0; i < texts.size(); ++i)
    list += (i == 0 ? "" : i + 1 == texts.size() ? " or " : ", ") + texts[i];
  return list;
}

/// Only what is as long as a name or a value in a rule may be is compared; a longer text stays as it is.
std::string plain(std::string_view encoded) {
  std::array<char, kMaxRuleValue> room;
  return std::string(http::percent_decoded(encoded, room).value_or(encoded));
}

Found header_of(const http::Fields& fields, std::string_view name) {
  const http::Field* field = fields.find(name);
  return field == nullptr ? Found() : Found(field->value);
}

Found cookie_of(const http::Fields& fields, std::string_view wanted) {
  Found found;
  for_each_cookie(fields, [&](std::string_view name, std::string_view raw) {
    if (name == wanted) found = cookie_text(raw);
    return !found;
  });
  return found;
}

Found parameter_of(std::string_view path_query, std::string_view wanted) {
  Found found;
  for_each_parameter(path_query, [&](std::string_view name, std::string_view raw) {
    if (plain(name) == wanted) found = plain(raw);
    return !found;
  });
  return found;
}

ConditionTrace trace_of(const FieldCondition& field, const http::Request& request) {
  ConditionTrace one;
  one.condition = std::string(field.source == FieldCondition::Source::query ? "parameter" : name_of(field.source)) +
                  " " + field.name;
  if (!field.values.empty()) one.condition += " = " + one_of(field.values);
  switch (field.source) {
    case FieldCondition::Source::header: one.found = header_of(request.fields, field.name); break;
    case FieldCondition::Source::cookie: one.found = cookie_of(request.fields, field.name); break;
    case FieldCondition::Source::query: one.found = parameter_of(request.path, field.name); break;
  }
  one.holds = one.found && (field.values.empty() || std::ranges::find(field.values, *one.found) != field.values.end());
  return one;
}

ConditionTrace path_trace(const std::vector<std::string>& paths, std::string_view path) {
  path = path.substr(0, path.find('?'));
  const auto is_above = [path](const std::string& prefix) {
    return prefix == "/" ? http::is_below(path, "") : http::is_below(path, prefix);
  };
  return {"path " + one_of(paths), std::string(path), std::ranges::any_of(paths, is_above)};
}

ConditionTrace client_trace(const std::vector<Cidr>& networks, const Address& client) {
  std::vector<std::string> texts;
  for (const Cidr& network : networks) texts.push_back(network.text());
  ConditionTrace one{"client " + one_of(texts), {}, NetworkSet(networks).contains(client)};
  if (client.kind != Address::Kind::unix_path) one.found = client.ip_text();
  return one;
}

}  // namespace

std::vector<ConditionTrace> trace(const Rule& rule, const http::Request& request, const Address& client) {
  std::vector<ConditionTrace> all;
  for (const FieldCondition& field : rule.fields) all.push_back(trace_of(field, request));
  if (!rule.paths.empty()) all.push_back(path_trace(rule.paths, request.path));
  if (!rule.clients.empty()) all.push_back(client_trace(rule.clients, client));
  return all;
}

bool matches(const Rule& rule, const http::Request& request, const Address& client) {
  return std::ranges::all_of(trace(rule, request, client), &ConditionTrace::holds);
}

}  // namespace gray::targeting
