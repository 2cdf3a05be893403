// Requests of users who stay on one worker, while that worker has no socket to give.
#include <memory>

#include "router/backends/backends.hpp"
#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;

namespace {

/// Two workers of one version. A request for /hold is answered when the gate is open.
struct TwoWorkers {
  static FakeWorker::Script named(char name, Gate& gate) {
    return [name, &gate](FakeWorker::Call& call) {
      while (call.next()) {
        if (call.request.has("/hold")) gate.wait();
        call.write(std::string("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n") + name);
      }
    };
  }
  static Plan plan_of(const Address& one, const Address& other, Limits limits) {
    Plan plan{{{one, other}}, limits};
    plan.affinity = true;
    return plan;
  }

  explicit TwoWorkers(Limits limits, RigOptions options = {}) : rig(plan(limits), std::move(options)) {
    own = rig.get("/", kAlice).body;
    REQUIRE(own.size() == 1);
  }
  ~TwoWorkers() { gate.open(); }

  Plan plan(Limits limits) const { return plan_of(a.address(), b.address(), limits); }
  std::unique_ptr<Wire> send(std::string_view path, std::uint32_t shard = 0) {
    auto client = std::make_unique<Wire>(rig.dial(shard));
    client->write(Rig::request_for(path, kAlice));
    return client;
  }
  /// Holds the only socket to the worker of the user.
  std::unique_ptr<Wire> hold(std::uint32_t shard = 0) {
    const int before = requests();
    auto client = send("/hold", shard);
    REQUIRE(eventually([&] { return requests() == before + 1; }));
    return client;
  }
  int requests() const { return a.requests() + b.requests(); }
  std::uint64_t spills() const { return rig.totals().affinity_spills; }

  static constexpr std::string_view kAlice = "X-User: alice\r\n";
  Gate gate;
  FakeWorker a{named('a', gate)}, b{named('b', gate)};
  Rig rig;
  std::string own;  // the worker of the user
};

Limits impatient(std::uint32_t queue = 256) {
  Limits limits = few_sockets(1, queue);
  limits.queue_timeout = Duration{150};
  return limits;
}

}  // namespace

TEST_CASE("a request waits for the worker of its user, and takes a place of the queue") {
  TwoWorkers two(few_sockets(1));
  const auto holder = two.hold();
  const auto waiter = two.send("/");
  REQUIRE(eventually([&] { return two.rig.waiting() == 1; }));
  CHECK(two.rig.totals().waiting == 1);
  two.gate.open();
  CHECK(holder->read_answer().body == two.own);
  CHECK(waiter->read_answer().body == two.own);
  CHECK(eventually([&] { return two.rig.totals().waiting == 0; }));
  CHECK(two.rig.waiting() == 0);
  CHECK(two.spills() == 0);
}

TEST_CASE("after queue_timeout it takes another worker, which is counted") {
  TwoWorkers two(impatient());
  const auto holder = two.hold();
  const Message spilled = two.send("/")->read_answer();
  CHECK(spilled.status() == 200);
  CHECK(spilled.body != two.own);
  CHECK(two.spills() == 1);
  CHECK(two.rig.waiting() == 0);
}

TEST_CASE("if no other worker has room then either, the answer is queue-timeout") {
  TwoWorkers two(impatient());
  const auto holder = two.hold();
  const auto other = two.send("/hold");
  REQUIRE(eventually([&] { return two.spills() == 1; }));
  const Message refused = two.send("/")->read_answer();
  CHECK(refused.status() == 503);
  CHECK(refused.field("x-gray-reason") == "queue-timeout");
  CHECK(two.spills() == 1);
  CHECK(two.rig.waiting() == 0);
}

TEST_CASE("where nobody may wait, or the queue is full, another worker is taken at once") {
  for (const std::uint32_t queue : {0u, 1u}) {
    TwoWorkers two(few_sockets(1, queue));
    const auto holder = two.hold();
    std::vector<std::unique_ptr<Wire>> waiters;
    for (std::uint32_t i = 0; i < queue; ++i) waiters.push_back(two.send("/"));
    REQUIRE(eventually([&] { return two.rig.waiting() == queue; }));
    CHECK(two.send("/")->read_answer().body != two.own);
    CHECK(two.spills() == 1);
  }
}

TEST_CASE("a client that leaves while it waits frees its place") {
  TwoWorkers two(few_sockets(1, 1));
  const auto holder = two.hold();
  const auto leaver = two.send("/");
  REQUIRE(eventually([&] { return two.rig.waiting() == 1; }));
  leaver->reset();
  REQUIRE(eventually([&] { return two.rig.waiting() == 0; }));
  const auto waiter = two.send("/");
  REQUIRE(eventually([&] { return two.rig.waiting() == 1; }));
  two.gate.open();
  CHECK(waiter->read_answer().body == two.own);
}

TEST_CASE("requests that wait for a worker that goes away take another one") {
  TwoWorkers two(few_sockets(1));
  const auto holder = two.hold();
  const auto waiter = two.send("/");
  REQUIRE(eventually([&] { return two.rig.waiting() == 1; }));
  Plan without = two.plan(few_sockets(1));
  std::erase(without.versions[0], (two.own == "a" ? two.a : two.b).address());
  ++without.number;
  two.rig.apply(without);
  CHECK(waiter->read_answer().body != two.own);
  CHECK(two.rig.waiting() == 0);
  CHECK(two.rig.totals().waiting == 0);
}

TEST_CASE("a socket that another thread no longer needs goes to the thread that waits for its worker") {
  for (const bool own_slots : {false, true}) {
    TwoWorkers two(few_sockets(1), {.shards = 2, .own_slots = own_slots});
    const auto holder = two.hold(0);
    const auto waiter = two.send("/", 1);
    REQUIRE(eventually([&] { return two.rig.waiting() == 1; }));
    two.gate.open();
    CHECK(holder->read_answer().body == two.own);
    CHECK(waiter->read_answer().body == two.own);
    CHECK(two.spills() == 0);
  }
}

TEST_CASE("an idle socket of another thread is handed over, and one to another worker is not") {
  TwoWorkers two(few_sockets(1), {.shards = 2});
  REQUIRE(eventually([&] { return two.rig.idle_sockets(0) == 1; }));
  CHECK(two.send("/", 1)->read_answer().body == two.own);
  CHECK(two.rig.handed_over() == 1);
  CHECK(two.spills() == 0);
  std::string other;  // a user who stays on the other worker
  for (int i = 0; other.empty(); ++i) {
    const std::string user = "X-User: u" + std::to_string(i) + "\r\n";
    if (two.rig.get("/", user).body != two.own) other = user;
  }
  const auto holder = two.hold(1);
  const auto waiter = two.send("/", 1);
  REQUIRE(eventually([&] { return two.rig.waiting() == 1; }));
  const int before = two.rig.handed_over();
  for (int i = 0; i < 5; ++i) {
    Wire client = two.rig.dial(0);
    client.write(Rig::request_for("/", other));
    CHECK(client.read_answer().body != two.own);
  }
  CHECK(two.rig.handed_over() == before);
  two.gate.open();
  CHECK(waiter->read_answer().body == two.own);
}
