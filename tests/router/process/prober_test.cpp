// Probes of workers: each ends exactly once, with a verdict that names its cause.
#include "router/process/prober.hpp"

#include <sys/un.h>

#include <filesystem>

#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;

namespace {

using Verdict = std::pair<bool, std::string>;

Verdict probe(const Address& address, HttpProbe http, Duration timeout = Duration{5'000}) {
  static std::uint64_t next = 0;
  const std::uint64_t id = ++next;
  Rig rig({});
  rig.on([&](proxy::Shard& shard) { shard.probe({id, address, std::move(http), timeout}); });
  REQUIRE(eventually([&] { return rig.probes().count(id) == 1; }));
  CHECK(rig.on([](proxy::Shard& shard) { return shard.engine().open_streams(); }) == 0);
  return rig.probes().at(id);
}

Verdict probe_answered(std::string answer) {
  const FakeWorker worker(answers_once(std::move(answer), 5));
  return probe(worker.address(), {"/healthz", "a.example", {}});
}

}  // namespace

TEST_CASE("a TCP probe is a connect") {
  const FakeWorker worker(answers(""));
  CHECK(probe(worker.address(), {}) == Verdict{true, "connected"});
  const Listener nobody;
  CHECK(probe(nobody.address(), {}) == Verdict{false, "connect: Connection refused"});
}

TEST_CASE("an HTTP probe asks for the path and judges by the status") {
  FakeWorker worker(answers(std::string(kOk)));
  const std::string question = "GET /healthz?x=1 with Host: " + worker.address().text();
  CHECK(probe(worker.address(), {.path = "/healthz?x=1"}) == Verdict{true, question + " was answered 200"});
  REQUIRE(worker.requests() == 1);
  CHECK(worker.seen()[0].has("GET /healthz?x=1 HTTP/1.1\r\n"));
  CHECK(worker.seen()[0].field("host") == worker.address().text());
  CHECK(probe_answered("HTTP/1.1 302 Found\r\n\r\n").first);
  const std::string asked = "GET /healthz with Host: a.example was answered ";
  CHECK(probe_answered("HTTP/1.1 503 Service Unavailable\r\n\r\n") == Verdict{false, asked + "503"});
  CHECK(probe_answered("HTTP/1.1 404 Not Found\r\n\r\n") == Verdict{false, asked + "404"});
}

TEST_CASE("an HTTP probe sends the host and the headers that it is given") {
  FakeWorker worker(answers(std::string(kOk)));
  CHECK(
      probe(worker.address(), {"/up", "shop.example", {{"X-Forwarded-Proto", "https"}, {"user-agent", "mine"}}}).first);
  const Message request = worker.seen().at(0);
  CHECK(request.field("host") == "shop.example");
  CHECK(request.field("x-forwarded-proto") == "https");
  CHECK(request.field("user-agent") == "mine");
  CHECK_FALSE(request.has("grayd-probe"));
}

TEST_CASE("the answer to a probe shows which HTTP a worker speaks") {
  const auto spoken = [](std::string answer) {
    const FakeWorker worker(answers_once(std::move(answer)));
    Rig rig({});
    rig.on([&](proxy::Shard& shard) {
      shard.probe({1, worker.address(), {.path = "/"}, Duration{5'000}, ::geteuid(), 3});
    });
    REQUIRE(eventually([&] { return rig.probes().count(1) == 1; }));
    return rig.segment->workers[3].speaks.load();
  };
  CHECK(spoken("HTTP/1.0 200 OK\r\n\r\n") == segment::Speaks::http10);
  CHECK(spoken("HTTP/1.1 503 No\r\n\r\n") == segment::Speaks::http11);
  CHECK(spoken("garbage\r\n\r\n") == segment::Speaks::unknown);
}

TEST_CASE("a long path is cut in messages") {
  const FakeWorker worker(answers_once("HTTP/1.1 500 Oops\r\n\r\n", 5));
  const auto [ok, text] = probe(worker.address(), {"/" + std::string(4'000, 'p'), "a.example", {}});
  CHECK(text.size() < 300);
  CHECK(text.ends_with("... with Host: a.example was answered 500"));
}

TEST_CASE("an invalid answer fails the probe and says why") {
  CHECK(probe_answered("").second == "GET /healthz with Host: a.example: closed without an answer");
  const Verdict garbage = probe_answered("SSH-2.0-OpenSSH\r\n\r\n");
  CHECK_FALSE(garbage.first);
  CHECK(garbage.second.find(": invalid answer: ") != std::string::npos);
  CHECK_FALSE(probe_answered("HTTP/1.1 200 OK\r\na: " + std::string(20'000, 'x') + "\r\n\r\n").first);
}

TEST_CASE("a probe that gets no answer times out") {
  const FakeWorker silent([](FakeWorker::Call& call) { call.read_rest(); });
  CHECK(probe(silent.address(), {"/", "a", {}}, Duration{100}) == Verdict{false, "GET / with Host: a: timed out"});
}

TEST_CASE("a probe reaches a worker on a unix socket") {
  const std::string path = std::filesystem::temp_directory_path() / ("gray-probe-" + std::to_string(::getpid()));
  const Address address = *Address::parse("unix:" + path);
  CHECK(probe(address, {}) == Verdict{false, "connect: No such file or directory"});
  const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  const socklen_t length = address.to(storage);
  REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  REQUIRE(::listen(listener.get(), 1) == 0);
  CHECK(probe(address, {}) == Verdict{true, "connected"});
  std::filesystem::remove(path);
}

TEST_CASE("a probe does not use one of the sockets for requests") {
  Gate gate;
  FakeWorker worker([&](FakeWorker::Call& call) {
    while (call.next()) {
      if (!call.request.has("/healthz")) gate.wait();
      call.write(kOk);
    }
  });
  Plan plan{{{worker.address()}}};
  plan.limits.max_sockets = 1;
  Rig rig(plan);
  Wire client = rig.dial();
  client.write(Rig::request_for());
  REQUIRE(eventually([&] { return worker.requests() == 1; }));
  rig.on([&](proxy::Shard& shard) { shard.probe({7, worker.address(), {.path = "/healthz"}, Duration{5'000}}); });
  REQUIRE(eventually([&] { return rig.probes().count(7) == 1; }));
  CHECK(rig.probes().at(7).first);
  CHECK(rig.sockets(0) == 1);
  gate.open();
  CHECK(client.read_answer().status() == 200);
}

TEST_CASE("a probe sends nothing to a stranger, and names both users") {
  FakeWorker stranger(answers(std::string(kOk)));
  Rig rig({});
  const uid_t expected = ::geteuid() + 1;
  rig.on([&](proxy::Shard& shard) { shard.probe({1, stranger.address(), {.path = "/"}, Duration{5'000}, expected}); });
  REQUIRE(eventually([&] { return rig.probes().count(1) == 1; }));
  CHECK(rig.probes().at(1) == Verdict{false, "answered by uid " + std::to_string(::geteuid()) + " instead of uid " +
                                                 std::to_string(expected)});
  CHECK(rig.peer_of(1) == PeerOwner{::geteuid(), 0});
  CHECK(stranger.requests() == 0);
}

TEST_CASE("a passed probe says which process listens, if that is known") {
  FakeWorker worker(answers(std::string(kOk)));
  Rig rig({});
  rig.on([&](proxy::Shard& shard) { shard.probe({1, worker.address(), {.path = "/"}, Duration{5'000}}); });
  REQUIRE(eventually([&] { return rig.probes().count(1) == 1; }));
  CHECK(rig.peer_of(1) == PeerOwner{::geteuid(), 0});
}
