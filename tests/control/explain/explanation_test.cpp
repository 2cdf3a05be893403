#include "control/explain/explanation.hpp"

#include <doctest/doctest.h>

#include <random>

namespace gray::control {
namespace {

using policy::Outcome;
using policy::Source;
using segment::Decision;

Explanation explained(Decision decision, double weight = 20, std::uint64_t hash = 0x61a3d70a3d70a3d7) {
  Explanation it{.service = "web",
                 .table = 7,
                 .stable = "v1",
                 .canary = "v2",
                 .salt = "web/v2",
                 .threshold = Threshold::of_percent(weight),
                 .user = Explanation::User{"cookie:uid", "77", hash},
                 .version = decision == Decision::bucket ? "v2" : "v1",
                 .decision = decision};
  return it;
}

TEST_CASE("a decision in one line, for each way to a version") {
  CHECK(summary_of(explained(Decision::stable)) == "cookie uid=77 → bucket 38.1 % ≥ 20 % → stable v1");
  CHECK(summary_of(explained(Decision::bucket, 50)) == "cookie uid=77 → bucket 38.1 % < 50 % → canary v2");
  CHECK(summary_of(explained(Decision::fallback, 50)) ==
        "cookie uid=77 → bucket 38.1 % < 50 % → v2 has no usable worker → stable v1");
  Explanation it = explained(Decision::fallback, 100);
  it.canary_failure = "connect-failed";
  CHECK(summary_of(it) == "cookie uid=77 → bucket 38.1 % < 100 % → v2 failed (connect-failed) → stable v1");
  it = explained(Decision::stable);
  it.user.reset();
  CHECK(summary_of(it) == "no identity → stable v1");
  it.canary.clear();
  CHECK(summary_of(it) == "no version has users beside stable → stable v1");
  it.down = true;
  CHECK(summary_of(it) == "no version has users beside stable → stable v1 → no usable worker: 503 version-down");
  CHECK(summary_of(Explanation{}) == "no service takes this host and path → 404 no-route");
}

TEST_CASE("a request that names its version") {
  Explanation it = explained(Decision::param);
  it.version = "v2";
  it.steps = {{Source::param, Outcome::named, "version", "v2"}};
  CHECK(summary_of(it) == "param version=v2 → v2");
  it.steps = {{Source::header, Outcome::named, "", "v2"}};  // of a log, which has no names
  it.decision = Decision::header;
  CHECK(summary_of(it) == "header → v2");
  it.down = true;
  CHECK(summary_of(it) == "header → v2 → no usable worker: 503 version-down");
}

TEST_CASE("a file that the chosen version did not have") {
  Explanation it = explained(Decision::asset);
  it.version = "v2";
  it.asked_first = "v1";
  it.first_decision = Decision::stable;
  CHECK(summary_of(it) == "cookie uid=77 → bucket 38.1 % ≥ 20 % → stable v1 does not have the file → v2");
  it.decision = Decision::stable;
  CHECK(summary_of(it) ==
        "cookie uid=77 → bucket 38.1 % ≥ 20 % → stable v1 does not have the file, nor has any other version");
}

TEST_CASE("users are named by their source") {
  Explanation it = explained(Decision::stable);
  for (const auto& [source, text, words] : {std::tuple{"header:x-user", "7", "header x-user=7"},
                                            {"issue:gid", "ab", "cookie gid=ab"},
                                            {"client-ip", "192.0.2.7", "client 192.0.2.7"},
                                            {"client-ip", "", "client address"},
                                            {"cookie:uid", "", "cookie uid"}}) {
    it.user = Explanation::User{source, text, it.user->hash};
    CHECK(summary_of(it) == std::string(words) + " → bucket 38.1 % ≥ 20 % → stable v1");
  }
}

TEST_CASE("a version that the allowlist or a rule chose") {
  Explanation it = explained(Decision::allowlist);
  it.version = "v2";
  it.listed = true;
  CHECK(summary_of(it) == "cookie uid=77 → allowlist → canary v2");
  it = explained(Decision::rule);
  it.rule = "beta";
  it.version = "v3";
  CHECK(summary_of(it) == "rule beta → v3");
  CHECK(json_of(it)["rule"] == "beta");
  it.decision = Decision::fallback;
  it.version = "v1";
  it.steps = {{Source::rule, Outcome::target_down, "beta", "header x-beta: 1", "v3"}};
  CHECK(summary_of(it) == "rule beta → v3 has no usable worker → stable v1");
  it.steps.clear();
  it.canary_failure = "connect-failed";
  CHECK(summary_of(it) == "rule beta → its version failed (connect-failed) → stable v1");
}

TEST_CASE("steps in words") {
  Explanation it = explained(Decision::stable);
  it.peer = "192.0.2.7";
  const auto words = [&](policy::Step step) {
    const StepWords both = words_of(step, it);
    return both.label + " " + both.text;
  };
  CHECK(words({Source::param, Outcome::off, "", ""}) == "param not used by this service");
  CHECK(words({Source::param, Outcome::absent, "version", ""}) == "param version: absent");
  CHECK(words({Source::header, Outcome::not_allowed, "x-version", "v2"}) ==
        "header x-version: v2, does not count: 192.0.2.7 is not in override_from");
  CHECK(words({Source::cookie, Outcome::unknown, "version", "v9"}) ==
        "cookie version: v9, which is not a version of web");
  CHECK(words({Source::cookie, Outcome::removed, "version", ""}) ==
        "cookie version: does not count, because this request removes it");
  CHECK(words({Source::param, Outcome::named, "version", "v2"}) == "param version: v2");
  CHECK(words({Source::param, Outcome::named, "", "v2"}) == "param v2");
  CHECK(words({Source::identity, Outcome::found, "cookie:uid", "77"}) == "identity cookie:uid: 77");
  CHECK(words({Source::identity, Outcome::found, "cookie:uid", ""}) == "identity cookie:uid");
  CHECK(words({Source::identity, Outcome::issued, "issue:gid", "ab"}) == "identity issue:gid: ab, set by this answer");
  CHECK(words({Source::bucket, Outcome::outside, "", ""}) ==
        "bucket 38.1 % ≥ 20 % of salt web/v2, hash 61a3d70a3d70a3d7");
  CHECK(words({Source::bucket, Outcome::no_canary, "", ""}) == "bucket no version has users beside stable");
  CHECK(words({Source::bucket, Outcome::no_identity, "", ""}) == "bucket nothing identifies the user");
  CHECK(words({Source::allowlist, Outcome::listed, "", "", "canary"}) == "allowlist the user is in it: canary");
  CHECK(words({Source::allowlist, Outcome::not_listed, "", "", "canary"}) == "allowlist the user is not in it");
  CHECK(words({Source::allowlist, Outcome::no_identity, "", "", "canary"}) == "allowlist nothing identifies the user");
  CHECK(words({Source::allowlist, Outcome::no_target, "", "", "canary"}) ==
        "allowlist not used: canary cannot be chosen now");
  CHECK(words({Source::allowlist, Outcome::target_down, "", "", "v3"}) ==
        "allowlist the user is in it, but v3 has no usable worker");
  CHECK(words({Source::rule, Outcome::matches, "beta", "path /b: /b", "v2"}) == "rule beta: path /b: /b → v2");
  CHECK(words({Source::rule, Outcome::matches, "beta", "", ""}) == "rule beta");
  CHECK(words({Source::rule, Outcome::no_match, "beta", "path /b: /c", "v2"}) ==
        "rule beta: path /b: /c, does not match");
  CHECK(words({Source::rule, Outcome::no_match, "", "5 more rules", ""}) == "rule 5 more rules do not match");
  CHECK(words({Source::rule, Outcome::no_target, "beta", "path /b: /b", "v2"}) ==
        "rule beta: path /b: /b; it matches, but v2 cannot be chosen now");
  CHECK(words({Source::rule, Outcome::target_down, "beta", "path /b: /b", "v2"}) ==
        "rule beta: path /b: /b; it matches, but v2 has no usable worker");
  it.threshold = Threshold::of_percent(50);
  CHECK(words({Source::bucket, Outcome::canary_down, "", ""}) ==
        "bucket 38.1 % < 50 % of salt web/v2, hash 61a3d70a3d70a3d7; v2 has no usable worker");
}

TEST_CASE("the JSON has the facts and the words") {
  Explanation it = explained(Decision::stable);
  it.steps = {{Source::bucket, Outcome::outside, "", ""}};
  const auto json = json_of(it);
  CHECK(json["schema_version"] == 1);
  CHECK(json["text"] == summary_of(it));
  CHECK(json["service"] == "web");
  CHECK(json["version"] == "v1");
  CHECK(json["decision"] == "stable");
  CHECK(json["version_up"] == true);
  CHECK(json["canary"] == "v2");
  CHECK(json["weight"] == 20);
  CHECK(json["salt"] == "web/v2");
  CHECK(json["threshold"] == "3333333333333333");
  CHECK(json["table"] == 7);
  CHECK(json["identity"]["source"] == "cookie:uid");
  CHECK(json["identity"]["value"] == "77");
  CHECK(json["identity"]["hash"] == "61a3d70a3d70a3d7");
  CHECK(json["steps"][0]["outcome"] == "outside");
  CHECK(json["steps"][0]["source"] == "bucket");
  it.user.reset();
  it.canary.clear();
  CHECK(json_of(it)["identity"].is_null());
  CHECK(json_of(it)["canary"].is_null());
}

TEST_CASE("weights are shown as they were given, and the bucket on its side of the weight") {
  for (const double weight : {0.0, 0.001, 1.0, 12.5, 33.3333333, 99.9, 100.0})
    CHECK(percent_of(Threshold::of_percent(weight)) == doctest::Approx(weight).epsilon(1e-12));
  CHECK(text_of_percent(20) == "20");
  CHECK(text_of_percent(0.001) == "0.001");
  CHECK(text_of_percent(0) == "0");
  CHECK(text_of_percent(100) == "100");
  const Threshold twenty = Threshold::of_percent(20);
  CHECK(bucket_text(twenty.below - (1ull << 40), twenty) == "19.99999");
  CHECK(bucket_text(twenty.below, twenty) == "20.0");
  CHECK(bucket_text(~0ull, Threshold{.everyone = true}) == "100.000000000000");  // no double is nearer
  CHECK(text_of(Threshold{.everyone = true}) == "all");
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t hash = random();
    const double weight = static_cast<double>(random() % 1'000'000'000) / 1e7;
    const Threshold threshold = Threshold::of_percent(weight);
    REQUIRE((std::stod(bucket_text(hash, threshold)) < percent_of(threshold)) == threshold.takes(hash));
  }
}

}  // namespace
}  // namespace gray::control
