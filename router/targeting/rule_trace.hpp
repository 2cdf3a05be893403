#pragma once
// One rule against one request, in words: what each condition asks, what the request has, and whether that is enough.
// For people, not for the data path; it agrees with RuleIndex, which a test compares.
#include <optional>
#include <string>
#include <vector>

#include "config/settings/targeting.hpp"
#include "router/http/message.hpp"

namespace gray::targeting {

struct ConditionTrace {
  std::string condition;             // "header x-country = ch or de", "cookie beta", "path /beta", "client 10.0.0.0/8"
  std::optional<std::string> found;  // in the request; nothing: it is absent
  bool holds = false;
};

/// All conditions of the rule, in the order header, cookie, query, path, client. `client`: as policy::client_address()
/// finds it.
std::vector<ConditionTrace> trace(const Rule& rule, const http::Request& request, const Address& client);

bool matches(const Rule& rule, const http::Request& request, const Address& client);

}  // namespace gray::targeting
