#include "router/stats/access_line.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace gray::stats {
namespace {

using segment::Decision;
using segment::Reason;

std::string line_of(const AccessRecord& record) {
  LineClock clock;
  std::vector<char> buffer(kMaxAccessLine);  // exactly: the sanitizers see a byte too many
  return std::string(buffer.data(), format_access_line(record, clock, buffer.data()));
}

nlohmann::json json_of(const AccessRecord& record) {
  const std::string line = line_of(record);
  CHECK(line.find('\n') == line.size() - 1);
  return nlohmann::json::parse(line);
}

const std::string kDestination = destination_members("web", "v2");
const std::string kRule = rule_members(
    {.salt = "web/v2", .threshold = {.below = 0x0ccccccccccccccc}, .table = 7, .stable = "v1", .canary = "v2"});
const std::string kSource = identity_member("cookie:uid");

AccessRecord sample() {
  AccessRecord record;
  record.time = WallTime(Micros{1'795'448'645'123'456});
  record.request_id = "r-1";
  record.client = "192.0.2.7";
  record.method = "GET";
  record.host = "example.com";
  record.path = "/a/b?token=secret";
  record.status = 502;
  record.reason = Reason::upstream_closed;
  record.bytes_in = 1;
  record.bytes_out = 2;
  record.duration = Micros{3};
  record.upstream = Micros{4};
  record.queued = Micros{5};
  record.destination = kDestination;
  record.worker = "web@v2#0";
  record.decision = Decision::bucket;
  record.identity_source = kSource;
  record.identity_hash = 0x0123456789abcdef;
  record.rule = kRule;
  record.fallback = true;
  record.retries = 1;
  return record;
}

TEST_CASE("a line holds all facts for a replay of the decision, in a stable order") {
  CHECK(line_of(sample()) ==
        "{\"time\":\"2026-11-23T15:44:05.123456Z\",\"request_id\":\"r-1\",\"client\":\"192.0.2.7\",\"method\":\"GET\","
        "\"host\":\"example.com\",\"path\":\"/a/b\",\"status\":502,\"reason\":\"upstream-closed\",\"bytes_in\":1,"
        "\"bytes_out\":2,\"duration_us\":3,\"upstream_us\":4,\"queued_us\":5,\"service\":\"web\",\"version\":\"v2\","
        "\"worker\":\"web@v2#0\",\"decision\":\"bucket\",\"identity_source\":\"cookie:uid\","
        "\"identity_hash\":\"0123456789abcdef\",\"salt\":\"web/v2\",\"threshold\":\"0ccccccccccccccc\",\"table\":7,"
        "\"stable\":\"v1\",\"canary\":\"v2\",\"fallback\":true,\"retries\":1}\n");
}

TEST_CASE("a rule that was broken is named, with its place and the side that broke it") {
  AccessRecord record = sample();
  record.fault = "P12";
  record.fault_offset = 17;
  CHECK(line_of(record).ends_with("\"retries\":1,\"fault\":\"P12\",\"offset\":17,\"fault_side\":\"downstream\"}\n"));
  record.fault_side = segment::Side::upstream;
  CHECK(json_of(record).at("fault_side") == "upstream");
}

TEST_CASE("the line of a request in a trace names the trace and our span") {
  AccessRecord record = sample();
  record.trace = "0af7651916cd43dd8448eb211c80319c";
  record.span = "b7ad6b7169203331";
  CHECK(line_of(record).ends_with(
      "\"retries\":1,\"trace\":\"0af7651916cd43dd8448eb211c80319c\",\"span\":\"b7ad6b7169203331\"}\n"));
}

TEST_CASE("a user whom the allowlist gave a version that did not answer") {
  AccessRecord record = sample();
  CHECK_FALSE(json_of(record).contains("listed"));
  record.decision = Decision::fallback;
  record.listed = true;
  CHECK(line_of(record).ends_with("\"retries\":1,\"listed\":true}\n"));
}

TEST_CASE("a request that the canary did not answer says why") {
  AccessRecord record = sample();
  record.decision = Decision::fallback;
  record.canary_failure = Reason::connect_failed;
  CHECK(line_of(record).ends_with("\"retries\":1,\"canary_failure\":\"connect-failed\"}\n"));
}

TEST_CASE("a request for which several versions were asked names the first one, and why it was") {
  AccessRecord record = sample();
  record.decision = Decision::asset;
  record.asked_first = "v1";
  record.first_decision = Decision::bucket;
  CHECK(line_of(record).ends_with("\"retries\":1,\"asked_first\":\"v1\",\"first_decision\":\"bucket\"}\n"));
  CHECK(json_of(record).at("decision") == "asset");
}

TEST_CASE("the query is never written") {
  AccessRecord record = sample();
  CHECK(line_of(record).find("secret") == std::string::npos);
  record.path = "?secret";
  CHECK(json_of(record).at("path") == "");
}

TEST_CASE("a request that reached no worker has empty texts, no hash and zeros") {
  const auto json = json_of({});
  CHECK(json.size() == 26);
  CHECK(json.at("identity_hash").is_null());
  CHECK(json.at("identity_source").is_null());
  CHECK(json.at("decision") == "");
  CHECK(json.at("reason") == "");
  CHECK(json.at("status") == 0);
  CHECK(json.at("threshold") == "0000000000000000");
}

TEST_CASE("the members of an unrouted request are those that a table would write for empty names") {
  CHECK(destination_members("", "") == kNoDestination);
  CHECK(rule_members({}) == kNoRule);
}

TEST_CASE("a threshold that includes all users is written as all") {
  AccessRecord record = sample();
  const std::string rule = rule_members({.salt = "web/v2", .threshold = {.everyone = true}, .table = 7});
  record.rule = rule;
  CHECK(json_of(record).at("threshold") == "all");
}

TEST_CASE("a negative duration, after a jump of a clock, is written as zero") {
  AccessRecord record = sample();
  record.duration = Micros{-1};
  CHECK(json_of(record).at("duration_us") == 0);
}

TEST_CASE("text from clients cannot forge members or lines") {
  AccessRecord record = sample();
  record.path = "/\",\"status\":200,\"x\":\"\r\n{}";
  record.host = "a\\";
  record.request_id = "\x1b[2J\xff";
  const auto json = json_of(record);
  CHECK(json.size() == 26);
  CHECK(json.at("path") == record.path);
  CHECK(json.at("host") == record.host);
  CHECK(json.at("status") == 502);
  CHECK(json.at("request_id") == "\x1b[2J\xc3\xbf");
}

TEST_CASE("long texts are cut") {
  AccessRecord record = sample();
  const std::string host(300, 'h'), path(2000, 'p'), method(100, 'M');
  record.host = host;
  record.path = path;
  record.method = method;
  const auto json = json_of(record);
  CHECK(json.at("host").get<std::string>().size() == kMaxHostText);
  CHECK(json.at("path").get<std::string>().size() == kMaxPathText);
  CHECK(json.at("method").get<std::string>().size() == kMaxMethodText);
}

TEST_CASE("the longest line fits into kMaxAccessLine") {
  const std::string worst(5000, '\x01');
  AccessRecord record;
  record.time = WallTime::max();
  const std::string name(500, 'n');
  const std::string destination = destination_members(name, name);
  const std::string rule = rule_members({.salt = worst,
                                         .threshold = {.below = ~std::uint64_t{0}},
                                         .table = ~std::uint64_t{0},
                                         .stable = name,
                                         .canary = name});
  const std::string source = identity_member(name);
  record.request_id = record.method = record.host = record.path = worst;
  record.client = record.worker = record.asked_first = name;
  record.destination = destination;
  record.rule = rule;
  record.identity_source = source;
  record.status = std::numeric_limits<int>::max();
  record.reason = Reason::expectation_failed;
  record.bytes_in = record.bytes_out = ~std::uint64_t{0};
  record.duration = record.upstream = record.queued = Micros::max();
  record.decision = Decision::allowlist;
  record.identity_hash = ~std::uint64_t{0};
  record.retries = ~std::uint32_t{0};
  CHECK(line_of(record).size() <= kMaxAccessLine);
  CHECK(line_of(record).size() > kMaxAccessLine * 8 / 10);
  CHECK(json_of(record).at("bytes_in") == ~std::uint64_t{0});
}

TEST_CASE("random bytes always give one line of valid JSON") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 500; ++round) {
    std::string texts[4];
    for (std::string& text : texts) {
      text.resize(random() % 1500);
      for (char& c : text) c = static_cast<char>(random());
    }
    AccessRecord record = sample();
    record.request_id = texts[0];
    record.method = texts[1];
    record.host = texts[2];
    record.path = texts[3];
    CHECK(json_of(record).at("worker") == "web@v2#0");
  }
}

}  // namespace
}  // namespace gray::stats
