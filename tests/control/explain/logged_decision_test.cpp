#include "control/explain/logged_decision.hpp"

#include <doctest/doctest.h>

#include <functional>

namespace gray::control {
namespace {

using nlohmann::json;
using segment::Decision;

/// As grayd writes it: user 1 of salt web/v2 is at 15 %, and the weight 20 %.
json logged(const char* decision, const char* version) {
  return {{"time", "2026-11-30T02:21:19.855399Z"},
          {"request_id", "r1"},
          {"client", "127.0.0.1"},
          {"method", "GET"},
          {"host", "example.com"},
          {"path", "/a"},
          {"status", 200},
          {"reason", ""},
          {"bytes_in", 0},
          {"bytes_out", 68},
          {"duration_us", 3560},
          {"upstream_us", 3560},
          {"queued_us", 0},
          {"service", "web"},
          {"version", version},
          {"worker", "web@v1#0"},
          {"decision", decision},
          {"identity_source", "cookie:uid"},
          {"identity_hash", "2663561769579f2e"},
          {"salt", "web/v2"},
          {"threshold", "3333333333333333"},
          {"table", 3},
          {"stable", "v1"},
          {"canary", "v2"},
          {"fallback", std::string_view(decision) == "fallback"},
          {"retries", 0}};
}

json with(json line, const json& changes) {
  line.update(changes);
  return line;
}

const json kBucketed = logged("bucket", "v2"), kFallback = logged("fallback", "v1"), kParam = logged("param", "v2"),
           kStable = with(logged("stable", "v1"), {{"identity_hash", "cb3095bdf87a4469"}}),
           kNobody = with(logged("stable", "v1"), {{"identity_hash", nullptr}, {"identity_source", nullptr}}),
           kNoCanary = with(logged("stable", "v1"), {{"canary", ""}, {"salt", ""}, {"threshold", "0000000000000000"}}),
           kAsset = with(logged("asset", "v2"),
                         {{"identity_hash", "cb3095bdf87a4469"}, {"asked_first", "v1"}, {"first_decision", "stable"}}),
           kNotFound = with(kStable, {{"asked_first", "v1"}, {"first_decision", "stable"}}),
           kEveryone = with(kBucketed, {{"threshold", "all"}, {"identity_hash", "ffffffffffffffff"}}),
           kRefused = with(logged("", ""), {{"service", ""},
                                            {"stable", ""},
                                            {"canary", ""},
                                            {"status", 404},
                                            {"reason", "no-route"},
                                            {"identity_source", nullptr},
                                            {"identity_hash", nullptr},
                                            {"threshold", "0000000000000000"}});

const json kListed = logged("allowlist", "v2"), kRule = with(logged("rule", "v3"), {{"rule", "beta"}}),
           kListedDown = with(logged("fallback", "v1"), {{"listed", true}, {"identity_hash", "cb3095bdf87a4469"}}),
           kRuleDown = with(kNobody, {{"decision", "fallback"}, {"fallback", true}, {"rule", "beta"}});

struct Replayed {
  Replay replay;
  std::string difference;
};

Replayed replayed(const std::string& text) {
  LoggedDecision line;
  if (!line.read(text)) return {Replay::damaged, {}};
  std::string difference;
  const Replay replay = decide_again(line, difference);
  return {replay, difference};
}
Replayed replayed(const json& line) { return replayed(line.dump()); }

TEST_CASE("every kind of decision is made again as it was logged") {
  for (const json& line :
       {kBucketed, kFallback, kParam, kStable, kNobody, kNoCanary, kAsset, kNotFound, kEveryone, kListed, kRule,
        kListedDown, kRuleDown, with(kRuleDown, {{"canary_failure", "connect-failed"}}),
        with(kAsset, {{"version", "v1"}, {"asked_first", "v2"}, {"first_decision", "rule"}, {"rule", "beta"}}),
        logged("header", "v1"), logged("cookie", "v2"),
        with(kFallback, {{"canary_failure", "connect-failed"}, {"retries", 1}}),
        with(kAsset, {{"version", "v3"},
                      {"asked_first", "v1"},
                      {"first_decision", "fallback"},
                      {"identity_hash", "2663561769579f2e"}})}) {
    CAPTURE(line.dump());
    const auto [replay, difference] = replayed(line);
    CHECK(replay == Replay::same);
    CHECK(difference == "");
  }
}

TEST_CASE("each kind of change is found") {
  const struct {
    json line;
    const char* difference;
  } changed[] = {
      {with(kBucketed, {{"identity_hash", "cb3095bdf87a4469"}}), "decision \"bucket\", decided again: \"stable\""},
      {with(kStable, {{"identity_hash", "2663561769579f2e"}}), "decision \"stable\", decided again: \"bucket\""},
      {with(kBucketed, {{"threshold", "0100000000000000"}}), "decision \"bucket\", decided again: \"stable\""},
      {with(kStable, {{"threshold", "all"}}), "decision \"stable\", decided again: \"bucket\""},
      {with(kBucketed, {{"version", "v1"}}), "version \"v1\", decided again: \"v2\""},
      {with(kStable, {{"version", "v2"}}), "version \"v2\", decided again: \"v1\""},
      {with(kBucketed, {{"canary", "v3"}}), "version \"v2\", decided again: \"v3\""},
      {with(kStable, {{"stable", "v3"}}), "version \"v1\", decided again: \"v3\""},
      {with(kBucketed, {{"canary", ""}}), "threshold without canary"},
      {with(kBucketed, {{"decision", "stable"}}), "decision \"stable\", decided again: \"bucket\""},
      {with(kStable, {{"decision", "bucket"}}), "decision \"bucket\", decided again: \"stable\""},
      {with(kFallback, {{"decision", "bucket"}, {"fallback", false}}), "version \"v1\", decided again: \"v2\""},
      {with(kFallback, {{"identity_hash", "cb3095bdf87a4469"}}), "decision \"fallback\", decided again: \"stable\""},
      {with(kFallback, {{"fallback", false}}), "fallback false, decision \"fallback\""},
      {with(kBucketed, {{"fallback", true}}), "fallback true, decision \"bucket\""},
      {with(kBucketed, {{"identity_source", nullptr}}),
       "identity_source and identity_hash: one is null, the other is not"},
      {with(kBucketed, {{"identity_hash", nullptr}}),
       "identity_source and identity_hash: one is null, the other is not"},
      {with(kNobody, {{"decision", "bucket"}, {"version", "v2"}}), "decision \"bucket\", decided again: \"stable\""},
      {with(kParam, {{"version", ""}}), "version \"\", decided again: \"a version\""},
      {with(kBucketed, {{"canary_failure", "connect-failed"}}), "canary_failure without fallback"},
      {with(kAsset, {{"version", "v1"}}), "decision \"asset\" by the version that was asked first"},
      {with(kAsset, {{"first_decision", "bucket"}}), "decision \"bucket\", decided again: \"stable\""},
      {with(kAsset, {{"asked_first", "v3"}}), "version \"v3\", decided again: \"v1\""},
      {with(kRule, {{"decision", "bucket"}}), "rule without such a decision"},
      {with(kBucketed, {{"decision", "rule"}}), "decision \"rule\" without rule"},
      {with(kRule, {{"version", ""}}), "version \"\", decided again: \"a version\""},
      {with(kRuleDown, {{"version", "v2"}}), "version \"v2\", decided again: \"v1\""},
      {with(kListedDown, {{"version", "v2"}}), "version \"v2\", decided again: \"v1\""},
      {with(kListedDown, {{"listed", false}}), "decision \"fallback\", decided again: \"stable\""},
      {with(kListedDown, {{"rule", "beta"}}), "listed, and a rule"},
      {with(kListedDown, {{"decision", "stable"}, {"fallback", false}}), "listed without such a decision"},
      {with(kListed, {{"identity_hash", nullptr}, {"identity_source", nullptr}}), "allowlist without identity"},
      {with(kNotFound, {{"version", "v2"}}),
       "asked_first is not the version that answered, and the decision is not \"asset\""},
  };
  for (const auto& one : changed) {
    CAPTURE(one.line.dump());
    const auto [replay, difference] = replayed(one.line);
    CHECK(replay == Replay::differs);
    CHECK(difference == one.difference);
  }
}

TEST_CASE("lines that cannot be decided again, by kind") {
  CHECK(replayed(kRefused).replay == Replay::no_service);
  json older = kBucketed;
  older.erase("canary");
  CHECK(replayed(older).replay == Replay::older);
  older = kBucketed;
  older.erase("identity_source");
  CHECK(replayed(older).replay == Replay::older);
  CHECK(replayed(with(kBucketed, {{"decision", "moon"}})).replay == Replay::unknown);
  CHECK(replayed(with(kAsset, {{"first_decision", "moon"}})).replay == Replay::unknown);
  const std::string whole = kBucketed.dump();
  for (std::size_t length = 0; length < whole.size(); ++length)
    REQUIRE(replayed(whole.substr(0, length)).replay == Replay::damaged);
  for (const char* text :
       {"", "null", "7", "[]", "{}", "{\"decision\":7}", "{\"a\":{}}", "\xff", "{\"decision\":\"bucket\"}"})
    CHECK(replayed(std::string(text)).replay == Replay::damaged);
  for (const json& line :
       {with(kBucketed, {{"threshold", "12"}}), with(kBucketed, {{"threshold", "zz33333333333333"}}),
        with(kBucketed, {{"identity_hash", "26"}}), with(kBucketed, {{"identity_hash", 5}}),
        with(kBucketed, {{"version", 5}}), with(kBucketed, {{"version", nullptr}}), with(kBucketed, {{"retries", -1}}),
        with(kBucketed, {{"version", json::array({"v2"})}}), with(kBucketed, {{"fallback", "false"}}),
        with(kBucketed, {{"fallback", 0}}), with(kBucketed, {{"table", "3"}}), with(kBucketed, {{"status", true}}),
        with(kBucketed, {{"canary", true}}), with(kBucketed, {{"table", 1.5}})})
    CHECK(replayed(line).replay == Replay::damaged);
  CHECK(name_of(Replay::no_service) == std::string("no-service"));
  CHECK(name_of(Replay::unknown) == std::string("unknown-decision"));
}

TEST_CASE("members that are not known are passed over") {
  CHECK(replayed(with(kBucketed, {{"new", 5}, {"newer", "text"}, {"newest", true}, {"none", nullptr}})).replay ==
        Replay::same);
  CHECK(replayed(with(kBucketed, {{"new", json::array()}})).replay == Replay::damaged);
}

TEST_CASE("nothing of a line stays for the next one") {
  LoggedDecision line;
  REQUIRE(line.read(
      with(kFallback,
           {{"canary_failure", "connect-failed"}, {"asked_first", "v1"}, {"retries", 1}, {"threshold", "all"}})
          .dump()));
  CHECK(line.fallback);
  CHECK(line.threshold.everyone);
  REQUIRE(line.read(kNoCanary.dump()));
  CHECK(line.canary_failure.empty());
  CHECK(line.asked_first.empty());
  CHECK(line.retries == 0);
  CHECK_FALSE(line.fallback);
  CHECK_FALSE(line.threshold.everyone);
  REQUIRE(line.read(kNobody.dump()));
  CHECK_FALSE(line.identity_hash);
}

TEST_CASE("a line in words") {
  const auto summary = [](const json& logged_line) {
    LoggedDecision line;
    REQUIRE(line.read(logged_line.dump()));
    return summary_of(explain_line(line));
  };
  CHECK(summary(kBucketed) == "cookie uid → bucket 15.0 % < 20 % → canary v2");
  CHECK(summary(kStable) == "cookie uid → bucket 79.4 % ≥ 20 % → stable v1");
  CHECK(summary(kNobody) == "no identity → stable v1");
  CHECK(summary(kNoCanary) == "no version has users beside stable → stable v1");
  CHECK(summary(kParam) == "param → v2");
  CHECK(summary(with(kParam, {{"reason", "version-down"}})) == "param → v2 → no usable worker: 503 version-down");
  CHECK(summary(kFallback) ==
        "cookie uid → bucket 15.0 % < 20 % → v2 had no usable worker, or lost its users → stable v1");
  CHECK(summary(with(kFallback, {{"canary_failure", "upstream-closed"}})) ==
        "cookie uid → bucket 15.0 % < 20 % → v2 failed (upstream-closed) → stable v1");
  CHECK(summary(kListed) == "cookie uid → allowlist → canary v2");
  CHECK(summary(kRule) == "rule beta → v3");
  CHECK(summary(kRuleDown) == "rule beta → its version had no usable worker, or lost its users → stable v1");
  CHECK(summary(kListedDown) ==
        "cookie uid → allowlist → its version had no usable worker, or lost its users → stable v1");
  CHECK(summary(kAsset) == "cookie uid → bucket 79.4 % ≥ 20 % → stable v1 does not have the file → v2");
}

}  // namespace
}  // namespace gray::control
