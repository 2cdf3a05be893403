#include "router/targeting/rule_trace.hpp"

#include <doctest/doctest.h>

#include "tests/router/targeting/request.hpp"

namespace gray::targeting {
namespace {

using Source = FieldCondition::Source;

/// "CONDITION: FOUND yes", a line for each condition.
std::string told(const Rule& one, const MadeRequest& request, const Address& client = kSomebody) {
  std::string text;
  for (const ConditionTrace& condition : trace(one, request.head(), client))
    text += condition.condition + ": " + condition.found.value_or("-") + (condition.holds ? " yes\n" : " no\n");
  return text;
}

}  // namespace

TEST_CASE("each condition says what it asks and what the request has") {
  const Rule one = rule({field(Source::header, "x-country", {"ch", "de", "at"}), field(Source::cookie, "beta", {"1"}),
                         field(Source::query, "q")},
                        {"/a", "/b"}, {"10.0.0.0/8", "192.0.2.0/24"});
  CHECK(told(one, MadeRequest("/b/c?q=%41", {{"X-Country", "de"}, {"Cookie", "beta=\"1\""}})) ==
        "header x-country = ch, de or at: de yes\n"
        "cookie beta = 1: 1 yes\n"
        "parameter q: A yes\n"
        "path /a or /b: /b/c yes\n"
        "client 10.0.0.0/8 or 192.0.2.0/24: 192.0.2.7 yes\n");
  CHECK(told(one, MadeRequest("/", {{"X-Country", "fr"}}), *Address::parse("unix:/x")) ==
        "header x-country = ch, de or at: fr no\n"
        "cookie beta = 1: - no\n"
        "parameter q: - no\n"
        "path /a or /b: / no\n"
        "client 10.0.0.0/8 or 192.0.2.0/24: - no\n");
}

TEST_CASE("a rule matches if all of its conditions hold") {
  const Rule one = rule({field(Source::cookie, "beta")}, {"/"});
  CHECK(matches(one, MadeRequest("/x", {{"Cookie", "beta=1"}}).head(), kSomebody));
  CHECK_FALSE(matches(one, MadeRequest("/x").head(), kSomebody));
}

}  // namespace gray::targeting
