#include "grayd/init/observation.hpp"

#include <doctest/doctest.h>

using namespace gray;
using namespace gray::init;
using End = Observation::End;

namespace {

Sample sample(int at, const char* state, std::vector<OpenPort> ports = {}) {
  Sample one;
  one.at = Duration(at);
  one.pid = 7;
  one.worker_state = state;
  one.version_state = "starting";
  one.address = "127.0.0.1:4000";
  one.uptime = Duration(at);
  one.ports = std::move(ports);
  return one;
}

const OpenPort kGiven{4000, false, false, 1}, kOther{3000, true, true, 2};

}  // namespace

TEST_CASE("a sample is read from the status") {
  const auto status = nlohmann::json::parse(R"({"services": [{"versions": [{"state": "starting", "cause": "c",
    "workers": [{"pid": 7, "state": "ready", "address": "127.0.0.1:4000", "ready_by": "ipc", "uptime_s": 0.25,
    "last_exit": ""}]}]}]})");
  const auto one = sample_of(status, Duration{9});
  REQUIRE(one);
  CHECK(one->pid == 7);
  CHECK(one->worker_state == "ready");
  CHECK(one->cause == "c");
  CHECK(one->ready_by == "ipc");
  CHECK(one->uptime == Duration{250});
  for (const char* text : {"null", "{}", "[]", R"({"services": []})", R"({"services": [{"versions": [{}]}]})",
                           R"({"services": [{"versions": [{"workers": []}]}]})"}) {
    CAPTURE(text);
    CHECK_FALSE(sample_of(nlohmann::json::parse(text), Duration{0}));
  }
}

TEST_CASE("a healthy worker ends the trial, with the time of readiness") {
  Observer observer(Duration{20'000});
  observer.take(sample(100, "spawned"));
  CHECK_FALSE(observer.over());
  Sample ready = sample(300, "ready", {kGiven});
  ready.ready_by = "ipc";
  observer.take(ready);
  CHECK_FALSE(observer.over());
  ready.at = ready.uptime = Duration{500};
  ready.worker_state = "healthy";
  observer.take(ready);
  CHECK(observer.seen().end == End::healthy);
  CHECK(observer.seen().ready_after == Duration{300});
  CHECK(observer.seen().given == 4000);
  CHECK(observer.seen().ports == std::vector<OpenPort>{kGiven});
}

TEST_CASE("another port ends it only after a while, and only if the given one is not opened") {
  Observer observer(Duration{20'000});
  observer.take(sample(100, "spawned", {kOther}));
  observer.take(sample(3'000, "spawned", {kOther}));
  CHECK_FALSE(observer.over());
  observer.take(sample(3'050, "spawned", {kOther, kGiven}));
  observer.take(sample(3'200, "spawned", {kOther}));
  observer.take(sample(6'100, "spawned", {kOther}));
  CHECK_FALSE(observer.over());
  observer.take(sample(6'200, "spawned", {kOther}));
  CHECK(observer.seen().end == End::elsewhere);
}

TEST_CASE("a failed version ends it, and the ports of the last process are kept") {
  Observer observer(Duration{20'000});
  observer.take(sample(100, "spawned", {kOther}));
  Sample gone = sample(200, "failed");
  gone.pid = 0;
  gone.version_state = "failed";
  gone.cause = "exit 3";
  gone.address.clear();
  observer.take(gone);
  CHECK(observer.seen().end == End::failed);
  CHECK(observer.seen().cause == "exit 3");
  CHECK(observer.seen().given == 4000);
  CHECK(observer.seen().ports == std::vector<OpenPort>{kOther});
}

TEST_CASE("the time is limited, with and without an answer of grayd") {
  Observer one(Duration{1'000}), other(Duration{1'000});
  one.take(sample(999, "spawned"));
  CHECK_FALSE(one.over());
  one.take(sample(1'000, "spawned"));
  CHECK(one.seen().end == End::time_up);
  other.pass(Duration{1'000});
  CHECK(other.seen().end == End::time_up);
}

TEST_CASE("the lines of the last start are kept, if every start printed the same") {
  using Lines = std::vector<std::string>;
  CHECK(last_lines_of({}).empty());
  CHECK(last_lines_of({"a"}) == Lines{"a"});
  CHECK(last_lines_of({"a", "a", "a"}) == Lines{"a"});
  CHECK(last_lines_of({"a", "b", "a", "b"}) == Lines{"a", "b"});
  CHECK(last_lines_of({"b", "a", "b"}) == Lines{"a", "b"});
  CHECK(last_lines_of({"a", "b", "a", "c"}) == Lines{"a", "b", "a", "c"});
  Lines many;
  for (int i = 0; i < 30; ++i) many.push_back(std::to_string(i));
  CHECK(last_lines_of(many).size() == kLastLines);
  CHECK(last_lines_of(many).back() == "29");
}
