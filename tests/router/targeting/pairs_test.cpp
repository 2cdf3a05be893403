#include "router/targeting/pairs.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/router/targeting/request.hpp"

namespace gray::targeting {
namespace {

using Pairs = std::vector<NamedText>;

Pairs cookies(const std::vector<NamedText>& fields) {
  Pairs all;
  for_each_cookie(MadeRequest("/", fields).head().fields, [&all](std::string_view name, std::string_view value) {
    all.emplace_back(name, cookie_text(value));
    return true;
  });
  return all;
}

Pairs parameters(std::string_view path_query) {
  Pairs all;
  for_each_parameter(path_query, [&all](std::string_view name, std::string_view value) {
    all.emplace_back(name, value);
    return true;
  });
  return all;
}

}  // namespace

TEST_CASE("cookies are what is between semicolons, in all Cookie fields") {
  CHECK(cookies({{"Cookie", "a=1; b=\"2\" ;\tc=; d;=e;;f=g=h"}, {"X", "x=1"}, {"cookie", "i= j"}}) ==
        Pairs{{"a", "1"}, {"b", "2"}, {"c", ""}, {"", "e"}, {"f", "g=h"}, {"i", "j"}});
}

TEST_CASE("parameters are what is between ampersands behind the first question mark") {
  CHECK(parameters("/x?a=1&b&&c=d=?&%61") == Pairs{{"a", "1"}, {"b", ""}, {"", ""}, {"c", "d=?"}, {"%61", ""}});
  CHECK(parameters("/a=1").empty());
}

TEST_CASE("only the first pairs are looked at, however many a request has") {
  for (const std::size_t count : {kMaxPairs + 1, std::size_t{10'000}}) {
    std::string list, query = "/?";
    for (std::size_t i = 0; i < count; ++i) {
      list += "a=;";
      query += "&";
    }
    CHECK(cookies({{"Cookie", list}}).size() == kMaxPairs);
    CHECK(cookies({{"Cookie", "a=1"}, {"Cookie", list}}).size() == kMaxPairs);
    CHECK(parameters(query).size() == kMaxPairs);
  }
  CHECK(cookies({{"Cookie", std::string(30'000, 'u')}}).empty());
}

TEST_CASE("the search ends with the pair that was wanted") {
  std::size_t looked_at = 0;
  const auto until_b = [&looked_at](std::string_view name, std::string_view) { return ++looked_at, name != "b"; };
  const MadeRequest request("/?a&b&c&b", {{"Cookie", "a=1; b=2; c=3"}, {"Cookie", "b=4"}});
  for_each_cookie(request.head().fields, until_b);
  CHECK(looked_at == 2);
  for_each_parameter(request.head().path, until_b);
  CHECK(looked_at == 4);
}

}  // namespace gray::targeting
