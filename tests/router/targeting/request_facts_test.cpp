#include "router/targeting/request_facts.hpp"

#include <doctest/doctest.h>

#include "tests/router/targeting/request.hpp"

namespace gray::targeting {
namespace {

using Source = FieldCondition::Source;

const FieldCondition kBeta = field(Source::header, "x-beta", {"1", "2"}), kStaff = field(Source::cookie, "staff"),
                     kOtherStaff = field(Source::cookie, "staff", {"x"}),
                     kQuery = field(Source::query, "x-beta", {"1"});

RequestFacts facts_of(const Vocabulary& vocabulary, const MadeRequest& request) {
  RequestFacts facts;
  vocabulary.gather(request.head(), kSomebody, facts);
  return facts;
}

}  // namespace

TEST_CASE("each name has one slot, and each value of it a number") {
  const Vocabulary vocabulary({rule({kBeta, kStaff}), rule({kOtherStaff, kQuery})});
  CHECK(vocabulary.slots() == 3);
  CHECK(vocabulary.slot_of(kStaff) == vocabulary.slot_of(kOtherStaff));
  CHECK(vocabulary.slot_of(kBeta) != vocabulary.slot_of(kQuery));
  const auto beta = vocabulary.slot_of(kBeta);
  CHECK(vocabulary.value_of(beta, "1") != vocabulary.value_of(beta, "2"));
  CHECK(vocabulary.value_of(beta, "1") != vocabulary.value_of(vocabulary.slot_of(kQuery), "1"));
}

TEST_CASE("a request is read once") {
  const Vocabulary vocabulary({rule({kBeta, kStaff, kQuery}, {"/a"}, {"192.0.2.0/24"})});
  const auto facts = facts_of(
      vocabulary, MadeRequest("/a/b?x-beta=2&y", {{"X-Beta", "2"}, {"Host", "h"}, {"Cookie", "staff=1; z=1"}}));
  const auto beta = vocabulary.slot_of(kBeta), staff = vocabulary.slot_of(kStaff), query = vocabulary.slot_of(kQuery);
  CHECK(facts.found_count == 3);
  CHECK(facts.value[beta] == vocabulary.value_of(beta, "2"));
  CHECK(facts.value[staff] == RequestFacts::kOther);
  CHECK(facts.value[query] == RequestFacts::kOther);
  CHECK(facts.path == vocabulary.paths().number_of("/a"));
  CHECK(facts.client == vocabulary.networks().number_of(*Cidr::parse("192.0.2.0/24")));
  CHECK(facts.looked_at == 3 + 2 + 2);
  const auto none = facts_of(vocabulary, MadeRequest("/"));
  CHECK(none.found_count == 0);
  CHECK(none.value[beta] == RequestFacts::kAbsent);
  CHECK(none.path == Nesting::kNone);
}

TEST_CASE("what no rule asks about is not looked at") {
  const Vocabulary vocabulary({rule({}, {"/a"})});
  CHECK(facts_of(vocabulary, MadeRequest("/?a=b", {{"X-Beta", "1"}, {"Cookie", "a=b"}})).looked_at == 0);
}

}  // namespace gray::targeting
