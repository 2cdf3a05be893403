// Counters and log lines of a request that has ended.
#include "router/proxy/recorder.hpp"
#include "config/shared/totals.hpp"

#include <fcntl.h>
#include <poll.h>

#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;

namespace {

/// The reading end of a pipe whose other end is an access log.
class LogPipe {
 public:
  LogPipe() {
    int fds[2];
    REQUIRE(pipe2(fds, O_CLOEXEC) == 0);
    read_.reset(fds[0]);
    write_ = fds[1];
  }
  int give() { return std::exchange(write_, -1); }
  nlohmann::json line() {
    std::string text;
    char byte = 0;
    pollfd watched{read_.get(), POLLIN, 0};
    const auto more = [&] { return ::poll(&watched, 1, kTimeout.count()) == 1 && ::read(read_.get(), &byte, 1) == 1; };
    while (more() && byte != '\n') text += byte;
    return nlohmann::json::parse(text, nullptr, false);
  }

 private:
  UniqueFd read_;
  int write_ = -1;
};

}  // namespace

TEST_CASE("the log line of a request holds all facts for a replay of its decision") {
  FakeWorker stable(says("stable")), canary(says("canary"));
  LogPipe log;
  Rig rig({{{stable.address()}, {canary.address()}}, {}, 100, 9}, {.access_log = log.give()});
  rig.get("/path?secret=1", "X-User: u7\r\n");
  const nlohmann::json line = log.line();
  REQUIRE(line.is_object());
  CHECK(line["client"] == "127.0.0.1");
  CHECK(line["method"] == "GET");
  CHECK(line["host"] == "test");
  CHECK(line["path"] == "/path");
  CHECK(line["status"] == 200);
  CHECK(line["reason"] == "");
  CHECK(line["bytes_in"] == 0);
  CHECK(line["bytes_out"] == 6);
  CHECK(line["duration_us"] > 0);
  CHECK(line["upstream_us"] > 0);
  CHECK(line["queued_us"] == 0);
  CHECK(line["service"] == "web");
  CHECK(line["version"] == "v2");
  CHECK(line["worker"] == "web@v2#0");
  CHECK(line["decision"] == "bucket");
  CHECK(line["identity_hash"].get<std::string>().size() == 16);
  CHECK(line["identity_source"] == "header:x-user");
  CHECK(line["salt"] == "web/v2");
  CHECK(line["stable"] == "v1");
  CHECK(line["canary"] == "v2");
  CHECK_FALSE(line.contains("canary_failure"));
  CHECK(line["threshold"] == "all");
  CHECK(line["table"] == 9);
  CHECK(line["fallback"] == false);
  CHECK(line["retries"] == 0);
  CHECK(line["request_id"].get<std::string>().size() == 32);
}

TEST_CASE("a retry on stable, a refusal and an invalid request are logged as such") {
  FakeWorker stable(says("stable")), broken([](FakeWorker::Call& call) { call.next(); });
  LogPipe log;
  Rig rig({{{stable.address()}, {broken.address()}}, {}, 100}, {.access_log = log.give()});
  rig.get();
  const nlohmann::json retried = log.line();
  CHECK(retried["fallback"] == true);
  CHECK(retried["decision"] == "fallback");
  CHECK(retried["retries"] == 1);
  CHECK(retried["version"] == "v1");
  CHECK(retried["canary_failure"] == "upstream-closed");
  Wire client = rig.dial();
  client.write("nonsense\r\n\r\n");
  const nlohmann::json refused = log.line();
  CHECK(refused["status"] == 400);
  CHECK(refused["reason"] == "bad-request");
  CHECK(refused["service"] == "");
  CHECK(refused["identity_hash"].is_null());
  CHECK(refused["identity_source"].is_null());
  CHECK_FALSE(refused.contains("canary_failure"));
}

TEST_CASE("a rule that a client broke is logged with its offset, and counted") {
  FakeWorker worker(says("x"));
  LogPipe log;
  Rig rig({{{worker.address()}}}, {.access_log = log.give()});
  const auto& wire = rig.segment->wire[0][0];
  struct Case {
    std::string request;
    const char* rule;
    std::size_t offset;
  };
  const std::string chunked = "POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n";
  const Case cases[] = {{"GET / HTTP/1.1\r\nHost: a\r\nX: \n\r\n\r\n", "P12", 28},
                        {"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "P10", 20},
                        {chunked + "2\r\nok\r\nx\r\n", "P20", 7}};
  for (const Case& test : cases) {
    CAPTURE(test.rule);
    Wire client = rig.dial();
    client.write(test.request);
    CHECK(client.read_answer().status() == 400);
    const nlohmann::json line = log.line();
    CHECK(line["reason"] == "bad-request");
    CHECK(line["fault"] == test.rule);
    CHECK(line["offset"] == test.offset);
    CHECK(line["fault_side"] == "downstream");
    CHECK(wire.faults[0][std::stoul(test.rule + 1)] == 1);
  }
  CHECK(wire.refused[static_cast<std::size_t>(segment::Reason::bad_request)] == 2);
  CHECK(rig.reason(segment::Reason::bad_request) == 1);  // the broken body: its version was decided
  rig.get();
  CHECK_FALSE(log.line().contains("fault"));
}

TEST_CASE("a rule that a worker broke is logged with its offset, and counted") {
  struct Case {
    std::string answer;
    const char* reason;
    const char* rule;
    std::size_t offset;
  };
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const Case cases[] = {{"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "upstream-invalid", "P10", 18},
                        {chunked + "1\r\nx\r\n?\r\n", "upstream-invalid", "P20", 6},
                        {chunked + "1\r\nx\r\n", "upstream-closed", "P27", 6},
                        {std::string(kOk) + "more", "", "P18", 2}};
  for (const Case& test : cases) {
    CAPTURE(test.rule);
    FakeWorker worker(answers_once(test.answer));
    LogPipe log;
    Rig rig({{{worker.address()}}}, {.access_log = log.give()});
    rig.get();
    const nlohmann::json line = log.line();
    CHECK(line["reason"] == test.reason);
    CHECK(line["fault"] == test.rule);
    CHECK(line["offset"] == test.offset);
    CHECK(line["fault_side"] == "upstream");
    CHECK(rig.segment->wire[0][0].faults[1][std::stoul(test.rule + 1)] == 1);
  }
}

TEST_CASE("a refusal before a version was chosen is counted by its reason") {
  Rig rig({});
  CHECK(rig.get().status() == 404);
  const auto& refused = rig.segment->wire[0][0].refused;
  CHECK(eventually([&] { return refused[static_cast<std::size_t>(segment::Reason::no_route)] == 1; }));
}

TEST_CASE("after reopening lines go to the new file") {
  FakeWorker worker(says("x"));
  LogPipe first, second;
  Rig rig({{{worker.address()}}}, {.access_log = first.give()});
  rig.get("/one");
  CHECK(first.line()["path"] == "/one");
  rig.on([&](proxy::Shard& shard) { shard.reopen_log(UniqueFd(second.give())); });
  rig.get("/two");
  CHECK(second.line()["path"] == "/two");
}

TEST_CASE("lines that a full disk does not take are counted, and requests are served") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}}, {.access_log = ::open("/dev/full", O_WRONLY | O_CLOEXEC)});
  for (int i = 0; i < 3; ++i) CHECK(rig.get().status() == 200);
  CHECK(eventually([&] { return rig.segment->log_lost[0] == 3; }));
}

TEST_CASE("without a log requests are counted too") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}});
  const std::string id = rig.get().field("x-request-id");
  CHECK(id.size() == 32);
  REQUIRE(eventually([&] { return rig.totals().requests == 1; }));
  CHECK(rig.totals().status_class[2] == 1);
  CHECK(rig.totals().bytes_out == 1);
  CHECK(rig.totals().errors == 0);
  CHECK(rig.totals().in_flight == 0);
}

TEST_CASE("a user whose requests fail is counted once, with the version that failed, also if stable answered") {
  FakeWorker stable(says("stable")), broken([](FakeWorker::Call& call) { call.next(); });
  Rig rig({{{stable.address()}, {broken.address()}}, {}, 100});
  for (int i = 0; i < 3; ++i) CHECK(rig.get("/", "X-User: u7\r\n").status() == 200);
  REQUIRE(eventually([&] { return rig.totals(0).requests == 3; }));
  CHECK(rig.totals(1).errors == 3);
  CHECK(rig.totals(1).failing_users == 1);
  CHECK(rig.totals(1).reset_users == 1);
  CHECK(rig.totals(1).timed_out_users == 0);
  CHECK(rig.totals(0).failing_users == 0);
  CHECK(segment::distinct_users(rig.segment->versions[0]) == 1);
  rig.get("/", "X-User: u8\r\n");
  REQUIRE(eventually([&] { return rig.totals(0).requests == 4; }));
  CHECK(rig.totals(1).failing_users == 2);
  CHECK(segment::distinct_users(rig.segment->versions[0]) == 2);
}

std::uint64_t samples_of(const Rig& rig, std::uint32_t row) {
  const auto samples = segment::sum_samples(*rig.segment, row);
  return std::accumulate(samples.begin(), samples.end(), std::uint64_t{0});
}

TEST_CASE("the latency of a worker is sampled, at most once in each sample time") {
  FakeWorker stable(says("stable")), canary(says("canary"));
  Rig rig({{{stable.address()}, {canary.address()}}, {}, 100});
  const auto begin = Clock::now();
  for (int i = 0; i < 20; ++i) CHECK(rig.get("/", "X-User: u7\r\n").body == "canary");
  REQUIRE(eventually([&] { return rig.totals(1).requests == 20; }));
  const auto slots = (Clock::now() - begin) / Duration{segment::kSampleTime} + 2;
  CHECK(samples_of(rig, 1) >= 1);
  CHECK(samples_of(rig, 1) <= static_cast<std::uint64_t>(slots));
}

TEST_CASE("without a canary that has users nothing is gathered for the judge") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}});
  CHECK(rig.get("/", "X-User: u7\r\n").status() == 200);
  REQUIRE(eventually([&] { return rig.totals().requests == 1; }));
  CHECK(samples_of(rig, 0) == 0);
  CHECK(segment::distinct_users(rig.segment->versions[0]) == 0);
}

TEST_CASE("request ids do not repeat") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}});
  Wire client = rig.dial();
  std::set<std::string> ids;
  for (int i = 0; i < 50; ++i) {
    client.write(Rig::request_for());
    ids.insert(client.read_answer().field("x-request-id"));
  }
  CHECK(ids.size() == 50);
}

TEST_CASE("a wait in the queue is measured") {
  Gate gate;
  FakeWorker worker([&](FakeWorker::Call& call) {
    while (call.next()) {
      gate.wait();
      call.write(kOk);
    }
  });
  Limits limits;
  limits.max_sockets = 1;
  limits.queue_timeout = Duration{8'000};
  LogPipe log;
  Rig rig({{{worker.address()}}, limits}, {.access_log = log.give()});
  Wire first = rig.dial(), second = rig.dial();
  first.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  second.write(Rig::request_for());
  REQUIRE(eventually([&] { return rig.waiting() == 1; }));
  gate.open();
  CHECK(second.read_answer().status() == 200);
  CHECK(log.line()["queued_us"] == 0);
  CHECK(log.line()["queued_us"] > 0);
  const auto waited = segment::sum(*rig.segment, 0, &segment::Row::waited);
  CHECK(waited.sum > 0);
}

TEST_CASE("fields of a proxy from a peer that is not trusted are counted, and the peer is reported once") {
  FakeWorker worker(says("x"));
  for (const bool trusted : {false, true}) {
    RigOptions options;
    if (trusted) options.settings.trusted_proxies = {*Cidr::parse("127.0.0.0/8")};
    Rig rig({{{worker.address()}}}, options);
    for (const char* field : {"", "X-Forwarded-For: 192.0.2.1\r\n", "X-Forwarded-Proto: https\r\n",
                              "Forwarded: for=192.0.2.1\r\n", "X-Forwarded-Port: 443\r\n"})
      CHECK(rig.get("/", field).status() == 200);
    CHECK(rig.segment->wire[0][0].forwards_ignored == (trusted ? 0u : 4u));
    CHECK(rig.untrusted_proxies() == (trusted ? std::vector<std::string>{} : std::vector<std::string>{"127.0.0.1"}));
  }
}
