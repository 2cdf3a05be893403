// What is counted and logged of a request that has ended.
#include "router/proxy/recorder.hpp"

#include <fcntl.h>
#include <poll.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/router/proxy/rig.hpp"

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
    const auto more = [&] { return ::poll(&watched, 1, kPatience.count()) == 1 && ::read(read_.get(), &byte, 1) == 1; };
    while (more() && byte != '\n') text += byte;
    return nlohmann::json::parse(text, nullptr, false);
  }

 private:
  UniqueFd read_;
  int write_ = -1;
};

}  // namespace

TEST_CASE("the log line of a request says all that is needed to replay its decision") {
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
  CHECK(line["salt"] == "web/v2");
  CHECK(line["threshold"] == "all");
  CHECK(line["table"] == 9);
  CHECK(line["fallback"] == false);
  CHECK(line["retries"] == 0);
  CHECK(line["request_id"].get<std::string>().size() == 32);
}

TEST_CASE("a retry on stable, a refusal and what is no request at all are logged as such") {
  FakeWorker stable(says("stable")), broken([](FakeWorker::Call& call) { call.next(); });
  LogPipe log;
  Rig rig({{{stable.address()}, {broken.address()}}, {}, 100}, {.access_log = log.give()});
  rig.get();
  const nlohmann::json retried = log.line();
  CHECK(retried["fallback"] == true);
  CHECK(retried["decision"] == "fallback");
  CHECK(retried["retries"] == 1);
  CHECK(retried["version"] == "v1");
  Wire client = rig.dial();
  client.write("nonsense\r\n\r\n");
  const nlohmann::json refused = log.line();
  CHECK(refused["status"] == 400);
  CHECK(refused["reason"] == "bad-request");
  CHECK(refused["service"] == "");
  CHECK(refused["identity_hash"].is_null());
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

TEST_CASE("lines that a full disk does not take are counted, and requests go on") {
  FakeWorker worker(says("x"));
  Rig rig({{{worker.address()}}}, {.access_log = ::open("/dev/full", O_WRONLY | O_CLOEXEC)});
  for (int i = 0; i < 3; ++i) CHECK(rig.get().status() == 200);
  CHECK(eventually([&] { return rig.segment->log_lost[0] == 3; }));
}

TEST_CASE("without a log requests are counted all the same") {
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
  const auto waited = stats::sum(*rig.segment, 0, &segment::Row::waited);
  CHECK(waited.sum > 0);
}
