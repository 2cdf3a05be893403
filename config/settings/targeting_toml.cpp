#include "config/settings/targeting_toml.hpp"

#include <algorithm>
#include <set>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

#include "config/base/units.hpp"
#include "config/keys/text_patterns.hpp"
#include "config/settings/allowlist_file.hpp"

namespace gray {
namespace {

using Source = FieldCondition::Source;

std::string lower_case(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

/// A version that does not exist yet is allowed: deploy creates it.
void read_target(TomlReader& table, const ServiceSettings& service, std::string& version) {
  table.text("version", version, kMaxRuleValue);
  table.pattern("version", patterns::kName);
  if (version == kCanaryRole || version == kStableRole) return;
  if (!is_name(version))
    return table.error("version", in_quotes(version) + " is not a version: write \"canary\", \"stable\" or the name " +
                                      "of a version");
  if (service.version(version) != nullptr || service.release) return;
  std::vector<std::string_view> names{kCanaryRole, kStableRole};
  for (const VersionSettings& one : service.versions) names.push_back(one.name);
  table.warn("version", "there is no version " + in_quotes(version) + did_you_mean(version, names) +
                            "; until there is one, this chooses nothing");
}

// ---- the allowlist

void add_users(TomlReader& table, std::vector<std::uint64_t>& hashes) {
  const auto items = table.texts("users", false, kMaxId);
  table.pattern("users", patterns::kUser);
  if (!items) return;
  for (const TomlReader::Item& item : *items) {
    if (item.text.empty() || bare_id(item.text) != item.text) {
      table.error(*item.at, in_quotes(item.text) + " is not an id: it is empty, or has blanks around it");
      continue;
    }
    hashes.push_back(allowlist_hash(item.text));
  }
}

void add_file(TomlReader& table, AllowlistSource& source, std::vector<std::uint64_t>& hashes) {
  std::string file;
  table.text("file", file, kMostFilePath);
  if (file.empty()) return;
  source.file = anchored(table.file().folder, file);
  if (!table.file().reads_beside) return;
  if (const std::string error = read_allowlist_file(source.file, hashes, source.stamp); !error.empty())
    table.error("file", in_quotes(source.file) + " " + error);
}

void build_allowlist(TomlReader& table, ServiceSettings& service, const std::vector<std::uint64_t>& hashes) {
  if (hashes.empty() || !table.file().reads_beside) return;
  try {
    service.allowlist_source.table = std::make_shared<const Allowlist>(hashes);
  } catch (const std::system_error& problem) {
    return table.error("file", problem.what());
  }
  service.allowlist.count = service.allowlist_source.table->count();
  service.allowlist.digest = service.allowlist_source.table->digest();
}

void read_allowlist(TomlReader& parent, ServiceSettings& service, ServiceTotals& totals) {
  const bool present = parent.has("allowlist");
  TomlReader table(parent, "allowlist");
  read_target(table, service, service.allowlist.version);
  std::vector<std::uint64_t> hashes;
  add_users(table, hashes);
  add_file(table, service.allowlist_source, hashes);
  if (!present) return;
  if (service.identity.empty())
    table.error("users", "an allowlist needs users who are identified: add identity to [service." + service.name +
                             "], such as identity = [\"cookie:uid\"], or remove the allowlist");
  if (hashes.size() > kMaxAllowlist)
    table.error("users", "more than " + std::to_string(kMaxAllowlist) + " ids: remove some, or use a rule");
  if (++totals.allowlists == kMaxAllowlists + 1)
    table.error("users", "more than " + std::to_string(kMaxAllowlists) + " services with an allowlist");
  build_allowlist(table, service, hashes);
}

// ---- rules

/// The error in one value of a field; empty: none. The router compares values without the blanks around them.
std::string error_in_value(const std::string& value) {
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 || c < 0 || c == '\t'; });
  if (plain && value.find('\x7f') == value.npos && bare_id(value) == value) return {};
  return in_quotes(value) + " is never received: a value has no control characters, and no blanks around it";
}

/// A value, several values, or true.
void read_values(TomlReader& table, const std::string& name, std::vector<std::string>& values) {
  const toml::node* node = table.find(name);
  if (const auto* flag = node->as_boolean()) {
    if (!flag->get())
      table.error(*node, "false is not a condition: true means that it is present; a rule cannot ask " +
                             std::string("for the opposite, but an earlier rule can decide first"));
    return;
  }
  if (node->is_number())
    return table.error(*node, "expected text, a list of texts, or true: write the number in quotes");
  const auto items = table.texts(name, true, kMaxRuleValue);
  if (!items) return;
  if (items->empty() && node->is_array() && node->as_array()->empty())
    table.error(*node, "the list is empty, so the condition never holds: name a value, or write true");
  std::set<std::string> known;
  for (const TomlReader::Item& item : *items) {
    if (const std::string error = error_in_value(item.text); !error.empty()) table.error(*item.at, error);
    if (!known.insert(item.text).second) table.error(*item.at, in_quotes(item.text) + " is listed twice");
    values.push_back(item.text);
  }
}

void describe_fields(KeyForm& form, Source source) {
  form.names = source == Source::query ? std::string_view("^[^\\x00]{1,256}$") : patterns::kToken;
  form.each = std::make_unique<KeyForm>();
  form.each->kind = KeyForm::Kind::texts;
  form.each->or_one = form.each->or_true = form.each->distinct = true;
  form.each->fewest_items = 1;
  form.each->most_items = kMostItems;
  form.each->longest = kMaxRuleValue;
  form.each->pattern = patterns::kFieldValue;
}

void read_fields(TomlReader& rule, Source source, std::vector<FieldCondition>& fields) {
  const std::string key = name_of(source);
  TomlReader table(rule, key, "rule." + key);
  std::unordered_set<std::string> known;
  const std::vector<std::string> names = table.names();
  if (KeyForm* const form = table.form()) describe_fields(*form, source);
  for (const std::string& name : names) {
    FieldCondition field{.source = source, .name = source == Source::header ? lower_case(name) : name, .values = {}};
    const bool valid = source == Source::query ? !name.empty() : is_token(name);
    if (!valid || name.size() > kMostName)
      table.error_at_name(
          name, in_quotes(name) + " cannot be the name of a " + key + (source == Source::query ? " parameter" : ""));
    if (!known.insert(field.name).second)
      table.error_at_name(name, in_quotes(name) + " is named twice: list its values at one place");
    read_values(table, name, field.values);
    fields.push_back(std::move(field));
  }
}

void read_paths(TomlReader& table, std::vector<std::string>& paths) {
  const auto items = table.texts("path", true, kMostPath);
  table.pattern("path", patterns::kPath);
  if (!items) return;
  for (const TomlReader::Item& item : *items) {
    auto path = parse_path(item.text);
    if (!path)
      table.error(*item.at, in_quotes(item.text) +
                                " is not a path that begins with \"/\"; without wildcards, because " +
                                "\"/beta\" covers everything below it");
    else
      paths.push_back(std::move(*path));
  }
}

std::size_t conditions_of(const Rule& rule) { return rule.fields.size() + !rule.paths.empty() + !rule.clients.empty(); }

Rule read_rule(TomlReader& table, const ServiceSettings& service, std::size_t number) {
  Rule rule;
  rule.name = "#" + std::to_string(number);
  const std::string unnamed = rule.name;
  table.text("name", rule.name, kMaxRuleValue);
  table.pattern("name", "^(?:[A-Za-z0-9_-]{1,64}|#[0-9]+)$");
  if (KeyForm* const form = table.form("name")) form->fallback = nullptr;  // the place in the list
  if (rule.name != unnamed && !is_name(rule.name))
    table.error("name", in_quotes(rule.name) + " is not a valid name: use 1 to 64 of a-z, A-Z, 0-9, _ and -");
  read_target(table, service, rule.version);
  const std::size_t problems = table.file().problems.size();
  for (const Source source : {Source::header, Source::cookie, Source::query}) read_fields(table, source, rule.fields);
  read_paths(table, rule.paths);
  table.list("client", rule.clients, Cidr::parse, "an IP network such as \"10.0.0.0/8\"");
  table.pattern("client", patterns::kNetwork);
  if (conditions_of(rule) == 0 && table.file().problems.size() == problems)
    table.error("name", "the rule has no condition, so it would decide for everybody: add header, cookie, query, " +
                            std::string("path or client, or shift the version to 100 percent"));
  return rule;
}

std::size_t values_of(const Rule& rule) {
  std::size_t values = rule.paths.size() + rule.clients.size();
  for (const FieldCondition& field : rule.fields) values += std::max<std::size_t>(1, field.values.size());
  return values;
}

std::size_t bytes_of_rule(const Rule& rule) {
  std::size_t bytes = rule.name.size() + rule.version.size();
  for (const std::string& path : rule.paths) bytes += path.size();
  for (const FieldCondition& field : rule.fields) {
    bytes += field.name.size();
    for (const std::string& value : field.values) bytes += value.size();
  }
  return bytes;
}

/// Each bound gives one error, at the first rule above it.
void count_rule(TomlReader& table, const Rule& rule, std::size_t& fields, ServiceTotals& totals) {
  const auto count = [&table](std::size_t& sum, std::size_t more, std::size_t most, const std::string& what) {
    const bool fitted = sum <= most;
    sum += more;
    if (fitted && sum > most) table.error("name", "more than " + what + ": use fewer rules, or an allowlist");
  };
  count(fields, rule.fields.size(), kMaxRuleFields,
        std::to_string(kMaxRuleFields) + " headers, cookies and parameters in the rules of a service");
  count(totals.rule_values, values_of(rule), kMaxRuleValues,
        std::to_string(kMaxRuleValues) + " values, paths and networks in all rules");
  count(totals.rule_bytes, bytes_of_rule(rule), kMaxRuleBytes, format_size(kMaxRuleBytes) + " of texts in all rules");
}

/// Equal for rules of the same version and conditions, and for no others: each text has its size before it.
std::string decision_key(const Rule& rule) {
  std::string key;
  const auto add = [&key](std::string_view text) { key.append(std::to_string(text.size())).append(":").append(text); };
  add(rule.version);
  for (const FieldCondition& field : rule.fields) {
    key += 'f' + std::to_string(static_cast<int>(field.source));
    add(field.name);
    for (const std::string& value : field.values) add(value);
  }
  key += 'p';
  for (const std::string& path : rule.paths) add(path);
  key += 'c';
  for (const Cidr& network : rule.clients) add(network.text());
  return key;
}

/// The rules of a service so far: the number of the first one with a name, and with a version and conditions.
struct EarlierRules {
  std::unordered_map<std::string, std::size_t> names, decisions;
};

/// Reports the earliest rule that is in conflict with this one.
void check_against_earlier(TomlReader& table, const Rule& rule, const std::vector<Rule>& rules, EarlierRules& earlier) {
  const std::size_t number = rules.size();
  const std::size_t same_name = earlier.names.try_emplace(rule.name, number).first->second;
  const std::size_t same = earlier.decisions.try_emplace(decision_key(rule), number).first->second;
  if (same_name < number && same_name <= same)
    return table.error("name", in_quotes(rule.name) + " is the name of an earlier rule: each rule has its own name");
  if (same < number)
    table.warn("name", "this rule never decides: the rule " + in_quotes(rules[same].name) +
                           " before it has the same conditions");
}

}  // namespace

void read_targeting(TomlReader& table, ServiceSettings& service, ServiceTotals& totals) {
  read_allowlist(table, service, totals);
  std::size_t fields = 0;
  EarlierRules earlier;
  for (const toml::table* one : table.tables("rule", "service." + service.name + ".rule", kMaxRules)) {
    TomlReader rule_table(table, "rule", *one);
    Rule rule = read_rule(rule_table, service, service.rules.size() + 1);
    count_rule(rule_table, rule, fields, totals);
    check_against_earlier(rule_table, rule, service.rules, earlier);
    service.rules.push_back(std::move(rule));
  }
}

}  // namespace gray
