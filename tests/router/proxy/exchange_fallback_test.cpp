// A canary that has no socket for a user, or whose users were taken away: who goes to stable, and who does not.
#include "router/proxy/exchange.hpp"
#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;
using segment::Reason;

namespace {

/// All users get v2, which answers when the gate opens; v1 answers at once.
struct Hung {
  explicit Hung(std::uint32_t sockets, std::uint32_t queue = 256) {
    plan.limits = few_sockets(sockets, queue);
    plan.weight = 100;
  }
  Gate gate;
  FakeWorker stable{says("stable")}, canary{answers_after(gate)};
  Plan plan{{{stable.address()}, {canary.address()}}};

  /// The users of v2 are taken away.
  void withdraw(Rig& rig) {
    plan.weight = 0;
    plan.withdrawn = true;
    ++plan.number;
    rig.apply(plan);
  }
};

Wire asks(Rig& rig, std::string_view request) {
  Wire client = rig.dial();
  client.write(request);
  return client;
}

std::string post_of(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body);
}

void answered_by_stable(Wire& client) {
  const Message answer = client.read_answer();
  CHECK(answer.status() == 200);
  CHECK(answer.body == "stable");
  CHECK(answer.field("x-gray-version") == "v1");
  CHECK(answer.field("x-gray-decision") == "fallback");
}

}  // namespace

TEST_CASE("a user whose canary has no place for the request is answered by stable, at the canary's charge") {
  struct Case {
    Reason reason;
    std::uint32_t queue;
    Duration queue_timeout;
  };
  for (const Case& row :
       {Case{Reason::queue_full, 0, Duration{8'000}}, Case{Reason::queue_timeout, 9, Duration{100}}}) {
    CAPTURE(row.queue);
    Hung hung(1, row.queue);
    hung.plan.limits.queue_timeout = row.queue_timeout;
    Rig rig(hung.plan);
    Wire first = asks(rig, Rig::request_for());
    REQUIRE(eventually([&] { return hung.canary.requests() == 1; }));
    for (const std::string& request : {Rig::request_for(), post_of("never sent to the canary")}) {
      Wire second = asks(rig, request);
      answered_by_stable(second);
    }
    CHECK(rig.waiting(1) == 0);
    CHECK(rig.totals(1).errors == 2);
    CHECK(rig.totals(1).failing_users == 0);  // a full queue of stable is no failure in the comparison either
    CHECK(eventually([&] { return rig.totals(0).requests == 2; }));
    const Message named = rig.get("/?version=v2");
    CHECK(named.status() == 503);
    CHECK(named.field("x-gray-version") == "v2");
    hung.gate.open();
    CHECK(first.read_answer().field("x-gray-version") == "v2");
  }
}

TEST_CASE("requests that wait for a socket of a withdrawn version go to stable at once, and are no failures of it") {
  Hung hung(1);
  Rig rig(hung.plan);
  Wire first = asks(rig, post_of("sent"));
  REQUIRE(eventually([&] { return hung.canary.requests() == 1; }));
  Wire get = asks(rig, Rig::request_for()), post = asks(rig, post_of("kept"));
  Wire named = asks(rig, Rig::request_for("/?version=v2"));
  REQUIRE(eventually([&] { return rig.waiting(1) == 3; }));
  hung.withdraw(rig);
  answered_by_stable(get);
  answered_by_stable(post);
  CHECK(hung.stable.seen()[1].body.size() + hung.stable.seen()[0].body.size() == 4);
  CHECK(rig.waiting(1) == 1);
  CHECK(rig.totals(1).errors == 0);
  hung.gate.open();
  CHECK(first.read_answer().field("x-gray-version") == "v2");
  CHECK(named.read_answer().field("x-gray-version") == "v2");
}

TEST_CASE("with affinity, requests that wait for the worker of their user leave it likewise") {
  Hung hung(1);
  hung.plan.affinity = true;
  Rig rig(hung.plan);
  Wire first = asks(rig, Rig::request_for("/?version=v2"));
  REQUIRE(eventually([&] { return hung.canary.requests() == 1; }));
  Wire second = asks(rig, Rig::request_for());
  REQUIRE(eventually([&] { return rig.waiting(1) == 1; }));
  hung.withdraw(rig);
  answered_by_stable(second);
  hung.gate.open();
  CHECK(first.read_answer().field("x-gray-version") == "v2");
}

TEST_CASE("requests that a withdrawn version does not answer are repeated on stable, if that is safe") {
  Hung hung(8);
  Rig rig(hung.plan);
  Wire get = asks(rig, Rig::request_for());
  Wire post = asks(rig, post_of("may have had its effect"));
  Wire named = asks(rig, Rig::request_for("/?version=v2"));
  REQUIRE(eventually([&] { return hung.canary.requests() == 3; }));
  hung.withdraw(rig);
  answered_by_stable(get);
  CHECK(rig.totals(1).errors == 1);
  CHECK(hung.stable.requests() == 1);
  hung.gate.open();
  CHECK(post.read_answer().field("x-gray-version") == "v2");
  CHECK(named.read_answer().field("x-gray-version") == "v2");
  CHECK(eventually([&] { return rig.totals(1).requests == 2; }));
}

TEST_CASE("a withdrawn version that answers in time gives its answer") {
  Hung hung(8);
  Rig rig(hung.plan);
  Wire client = asks(rig, Rig::request_for());
  REQUIRE(eventually([&] { return hung.canary.requests() == 1; }));
  hung.withdraw(rig);
  hung.gate.open();
  CHECK(client.read_answer().field("x-gray-version") == "v2");
  CHECK(hung.stable.requests() == 0);
}

TEST_CASE("without a socket of stable either, the request is refused for stable's reason") {
  Hung hung(1, 0);
  FakeWorker busy(answers_after(hung.gate));
  hung.plan.versions[0] = {busy.address()};
  Rig rig(hung.plan);
  Wire one = asks(rig, Rig::request_for()), two = asks(rig, Rig::request_for("/?version=v1"));
  REQUIRE(eventually([&] { return hung.canary.requests() == 1 && busy.requests() == 1; }));
  const Message answer = rig.get();
  CHECK(answer.status() == 503);
  CHECK(answer.field("x-gray-version") == "v1");
  CHECK(answer.field("x-gray-decision") == "fallback");
  hung.gate.open();
  CHECK(one.read_answer().status() == 200);
  CHECK(two.read_answer().status() == 200);
}

TEST_CASE("a request of a withdrawn version that is repeated waits for stable once, at most for queue_timeout") {
  Gate stable_gate, canary_gate;
  FakeWorker stable{answers_after(stable_gate)}, canary{answers_after(canary_gate)};
  Plan plan{{{stable.address()}, {canary.address()}}};
  plan.limits = few_sockets(1, 256);
  plan.limits.queue_timeout = Duration{200};
  plan.weight = 100;
  Rig rig(plan);
  Wire busy = asks(rig, Rig::request_for("/?version=v1"));
  Wire client = asks(rig, Rig::request_for());
  REQUIRE(eventually([&] { return stable.requests() == 1 && canary.requests() == 1; }));
  plan.weight = 0;
  plan.withdrawn = true;
  ++plan.number;
  rig.apply(plan);
  const Message answer = client.read_answer();
  CHECK(answer.status() == 503);
  CHECK(answer.field("x-gray-reason") == "queue-timeout");
  CHECK(answer.field("x-gray-version") == "v1");
  stable_gate.open();
  canary_gate.open();
  CHECK(busy.read_answer().status() == 200);
}
