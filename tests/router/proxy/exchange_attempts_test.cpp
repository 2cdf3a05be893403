// An asset that a version does not have: which versions are asked, which answer is sent, what is counted. And how many
// failed attempts are repeated at once.
#include "router/policy/asset.hpp"
#include "router/proxy/exchange.hpp"
#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;

namespace {

constexpr std::string_view kScript = "Sec-Fetch-Dest: script\r\n";

std::string sized(std::string_view head, std::string_view body) {
  return std::string(head) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
/// An answer that has the asset.
std::string script(std::string_view body) { return sized("HTTP/1.1 200 OK\r\nContent-Type: text/javascript", body); }
std::string not_found(std::string_view body) { return sized("HTTP/1.1 404 Not Found", body); }
std::string index_html(std::string_view body) { return sized("HTTP/1.1 200 OK\r\nContent-Type: text/html", body); }

/// v1 is stable and does not have the asset, v2 has it.
struct Skewed {
  explicit Skewed(std::string lacking = not_found("lacking")) : first(answers(std::move(lacking))) {}
  FakeWorker first, second{answers(script("two"))};
  Plan plan{{{first.address()}, {second.address()}}};
};

}  // namespace

TEST_CASE("an asset that its version does not have is answered by the version that has it") {
  for (const std::string& lacking : {not_found("lacking"), index_html("<html>"),
                                     std::string("HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n"
                                                 "3\r\nabc\r\n0\r\n\r\n")}) {
    CAPTURE(lacking);
    Skewed skewed(lacking);
    Rig rig(skewed.plan);
    const Message answer = rig.get("/main.js", kScript);
    CHECK(answer.status() == 200);
    CHECK(answer.body == "two");
    CHECK(answer.field("x-gray-version") == "v2");
    CHECK(answer.field("x-gray-decision") == "asset");
    CHECK(skewed.first.requests() == 1);
    CHECK(skewed.second.requests() == 1);
    CHECK(eventually([&] { return rig.totals(1).requests == 1; }));
    CHECK(rig.totals(0).requests == 0);
    CHECK(rig.totals(0).asset_retries == 1);
    CHECK(rig.totals(1).asset_retries == 0);
    for (const std::uint32_t row : {0u, 1u}) {
      CHECK(rig.totals(row).errors == 0);
      CHECK(rig.totals(row).retries == 0);
      CHECK(rig.totals(row).in_flight == 0);
    }
  }
}

TEST_CASE("the connection of the version that lacks an asset is used again") {
  Skewed skewed;
  Rig rig(skewed.plan);
  Wire client = rig.dial();
  for (int i = 0; i < 5; ++i) {
    client.write(Rig::request_for("/main.js", kScript));
    CHECK(client.read_answer().body == "two");
  }
  CHECK(skewed.first.requests() == 5);
  CHECK(skewed.first.connections() == 1);
  CHECK(skewed.second.connections() == 1);
}

TEST_CASE("an asset that no version has gets the first answer, and each version is asked once") {
  FakeWorker one(answers(not_found("one"))), two(answers(index_html("two"))), three(answers(not_found("three")));
  Rig rig({{{one.address()}, {two.address()}, {three.address()}}});
  for (const std::string_view named : {"v2", "v1", "v3"}) {
    CAPTURE(named);
    const Message answer = rig.get("/gone.js?version=" + std::string(named), kScript);
    CHECK(answer.field("x-gray-version") == named);
    CHECK(answer.field("x-gray-decision") == "param");
    CHECK(answer.body == (named == "v1" ? "one" : named == "v2" ? "two" : "three"));
    CHECK(answer.status() == (named == "v2" ? 200 : 404));
  }
  for (const FakeWorker* worker : {&one, &two, &three}) CHECK(worker->requests() == 3);
  CHECK(eventually([&] { return rig.totals(1).requests == 1; }));
  CHECK(rig.totals(0).asset_retries == 3);
}

TEST_CASE("a first answer that is too large to be kept is asked for again") {
  const std::string large(policy::kDroppedBytes + 100'000, 'x');
  FakeWorker one(answers(not_found(large))), two(answers(not_found("two")));
  Rig rig({{{one.address()}, {two.address()}}});
  const Message answer = rig.get("/gone.js", kScript);
  CHECK(answer.status() == 404);
  CHECK(answer.body == large);
  CHECK(answer.field("x-gray-version") == "v1");
  CHECK(one.requests() == 2);
  CHECK(two.requests() == 1);
  CHECK(eventually([&] { return rig.totals(0).requests == 1; }));
  CHECK(rig.totals(0).errors == 0);
}

TEST_CASE("a first answer that stops halfway does not delay the others, and is not sent") {
  FakeWorker one([](FakeWorker::Call& call) {
    while (call.next()) {
      if (call.number() == 1) {
        call.write("HTTP/1.1 404 No\r\nContent-Length: 100\r\n\r\nhalf");
      } else {
        call.write(not_found("whole"));
      }
    }
  });
  FakeWorker two(answers(not_found("two")));
  Rig rig({{{one.address()}, {two.address()}}});
  const Message answer = rig.get("/gone.js", kScript);
  CHECK(answer.status() == 404);
  CHECK(answer.body == "whole");
  CHECK(one.connections() == 2);
}

TEST_CASE("a version that fails, refuses or is down is passed over") {
  Listener nobody;
  FakeWorker broken([](FakeWorker::Call& call) { call.next(); });
  FakeWorker one(answers(not_found("one"))), error(answers(sized("HTTP/1.1 503 Busy", "")));
  FakeWorker last(answers(script("last")));
  for (const std::vector<Address>& middle :
       {std::vector<Address>{nobody.address()}, {broken.address()}, {error.address()}, {}}) {
    Rig rig({{{one.address()}, middle, {last.address()}}});
    const Message answer = rig.get("/main.js", kScript);
    CHECK(answer.status() == 200);
    CHECK(answer.body == "last");
    CHECK(answer.field("x-gray-version") == "v3");
    Rig alone({{{one.address()}, middle}});
    CHECK(alone.get("/main.js", kScript).body == "one");
    CHECK(eventually([&] { return alone.totals(0).requests == 1; }));
    CHECK(alone.totals(0).errors == 0);
    CHECK(alone.totals(1).requests == 0);
  }
}

TEST_CASE("no request holds a socket of one version while it waits for one of another") {
  Skewed skewed;
  Gate gate;
  FakeWorker busy(answers_after(gate));
  skewed.plan.versions[1] = {busy.address()};
  skewed.plan.limits = few_sockets(1);
  Rig rig(skewed.plan);
  Wire holds = rig.dial(), waits = rig.dial();
  holds.write(Rig::request_for("/?version=v2"));
  REQUIRE(eventually([&] { return busy.requests() == 1; }));
  waits.write(Rig::request_for("/main.js", kScript));
  REQUIRE(eventually([&] { return rig.waiting(1) == 1; }));
  CHECK(rig.get("/other").body == "lacking");
  gate.open();
  CHECK(waits.read_answer().body == "ok");
}

TEST_CASE("a version whose queue is full, or too slow, is passed over") {
  Skewed skewed;
  Gate gate;
  FakeWorker busy(answers_after(gate));
  skewed.plan.versions[1] = {busy.address()};
  skewed.plan.limits = few_sockets(1, 1);
  skewed.plan.limits.queue_timeout = Duration{200};
  Rig rig(skewed.plan);
  Wire holds = rig.dial();
  holds.write(Rig::request_for("/?version=v2"));
  REQUIRE(eventually([&] { return busy.requests() == 1; }));
  CHECK(rig.get("/main.js", kScript).body == "lacking");  // after its time in the queue
  Wire waits = rig.dial();
  waits.write(Rig::request_for("/?version=v2"));
  REQUIRE(eventually([&] { return rig.waiting(1) == 1; }));
  CHECK(rig.get("/main.js", kScript).body == "lacking");  // the queue is full
  gate.open();
}

TEST_CASE("a client that leaves while an answer is dropped ends the exchange") {
  Gate gate;
  FakeWorker one([&](FakeWorker::Call& call) {
    call.next();
    call.write("HTTP/1.1 404 No\r\nContent-Length: 100\r\n\r\nhalf");
    gate.wait();
  });
  FakeWorker two(answers_after(gate));
  Rig rig({{{one.address()}, {two.address()}}});
  {
    Wire client = rig.dial();
    client.write(Rig::request_for("/main.js", kScript));
    REQUIRE(eventually([&] { return rig.totals(0).asset_retries == 1; }));
    client.reset();
  }
  CHECK(eventually([&] { return rig.totals(0).requests + rig.totals(1).requests == 1; }));
  CHECK(rig.totals(0).in_flight + rig.totals(1).in_flight == 0);
  gate.open();
}

TEST_CASE("what is not an asset, or cannot be asked for twice, gets the answer of its version") {
  Skewed skewed;
  Rig rig(skewed.plan);
  CHECK(rig.get("/page", "Sec-Fetch-Dest: document\r\n").status() == 404);
  CHECK(rig.get("/api").status() == 404);
  CHECK(ask(rig, "POST /main.js HTTP/1.1\r\nHost: test\r\nSec-Fetch-Dest: script\r\nContent-Length: 0\r\n\r\n")
            .status() == 404);
  CHECK(skewed.second.requests() == 0);
  const std::string head = "HEAD /main.js HTTP/1.1\r\nHost: test\r\nSec-Fetch-Dest: script\r\n\r\n";
  FakeWorker lacking([](FakeWorker::Call& call) {
    while (call.next()) call.write("HTTP/1.1 404 No\r\nContent-Length: 9\r\n\r\n");
  });
  FakeWorker having([](FakeWorker::Call& call) {
    while (call.next()) call.write("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n");
  });
  Rig heads({{{lacking.address()}, {having.address()}}});
  CHECK(ask(heads, head, true).field("content-length") == "7");
  Rig none({{{lacking.address()}, {lacking.address()}}});
  CHECK(ask(none, head, true).field("content-length") == "9");
}

TEST_CASE(
    "a worker that breaks all connections and lives on: a fifth of the requests, and at least three, are repeated") {
  constexpr int kRequests = 8, kRepeated = 3;
  Gate breaks, answers_again;
  FakeWorker worker([&](FakeWorker::Call& call) {
    if (!call.next()) return;
    if (call.number() <= kRequests) return breaks.wait();
    answers_again.wait();
    call.write(sized("HTTP/1.1 200 OK", "ok"));
  });
  Rig rig({{{worker.address()}}});
  rig.on([](proxy::Shard& shard) {
    auto& version = shard.backends().version(0);
    while (version.workers.front().losses.covers(version.limits.max_sockets, shard.engine().now())) {
    }
  });
  std::vector<Wire> clients;
  for (int i = 0; i < kRequests; ++i) {
    clients.push_back(rig.dial());
    clients.back().write(Rig::request_for());
  }
  REQUIRE(eventually([&] { return worker.requests() == kRequests; }));
  breaks.open();
  const auto refused = [&rig] {
    return rig.totals().retries_refused[static_cast<std::size_t>(segment::Reason::upstream_closed)];
  };
  CHECK(eventually([&] { return refused() == kRequests - kRepeated; }));
  answers_again.open();
  int good = 0;
  for (Wire& client : clients) good += client.read_answer().status() == 200 ? 1 : 0;
  CHECK(good == kRepeated);
  CHECK(eventually([&] { return rig.totals().retries == kRepeated; }));
  rig.on([](proxy::Shard& shard) { CHECK(shard.backends().version(0).retries.active() == 0); });
}

TEST_CASE("all requests that a process loses when it ends are repeated, whatever the budget says") {
  constexpr int kRequests = 20;
  Gate ends;
  FakeWorker ended([&](FakeWorker::Call& call) {
    if (call.next()) ends.wait();
  });
  FakeWorker other(answers(sized("HTTP/1.1 200 OK", "ok")));
  Rig rig({{{ended.address()}}});
  std::vector<Wire> clients;
  for (int i = 0; i < kRequests; ++i) {
    clients.push_back(rig.dial());
    clients.back().write(Rig::request_for());
  }
  REQUIRE(eventually([&] { return ended.requests() == kRequests; }));
  Plan both{{{ended.address(), other.address()}}};
  both.number = 2;
  rig.apply(both);
  ends.open();
  for (Wire& client : clients) CHECK(client.read_answer().status() == 200);
  CHECK(rig.totals().retries_refused[static_cast<std::size_t>(segment::Reason::upstream_closed)] == 0);
}
