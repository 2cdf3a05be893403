// Clients that still read an answer when no next request came in time.
#include "router/downstream/downstream.hpp"
#include "tests/router/process/rig.hpp"

using namespace gray;
using namespace gray::test;

namespace {

constexpr std::size_t kAnswer = 100'000;  // its end stays in the router: neither kernel buffer takes it

Plan plan_of(const FakeWorker& worker, std::uint64_t min_rate, Duration idle_timeout) {
  Plan plan{{{worker.address()}}};
  plan.limits.idle_timeout = idle_timeout;
  plan.limits.min_rate = min_rate;
  return plan;
}

std::string large_answer() {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kAnswer) + "\r\n\r\n" + std::string(kAnswer, 'x');
}

std::size_t transactions(Rig& rig) {
  return rig.on([](proxy::Shard& shard) { return shard.transactions().in_use(); });
}

/// The answer has ended for the worker, and the client has taken none of it.
Wire asks_and_does_not_read(Rig& rig) {
  Wire client = rig.dial(0, 4'096);
  client.write(Rig::request_for());
  REQUIRE(eventually([&] { return rig.totals().requests == 1; }));
  return client;
}

}  // namespace

TEST_CASE("a client that does not take the end of its answer is closed after the idle timeout and a rate window") {
  FakeWorker worker(answers(large_answer()));
  Rig rig(plan_of(worker, 1'024, Duration{50}), {.send_buffer = 4'096, .rate_window = Duration{480}});
  Wire client = asks_and_does_not_read(rig);
  CHECK(eventually([&] { return rig.closed_clients() == 1; }));
  CHECK(transactions(rig) == 0);
}

TEST_CASE("without min_rate it may take as long as it likes, and its next request is answered") {
  FakeWorker worker(answers(large_answer()));
  const Duration idle_timeout{1'500};  // also the time that the test has for the next request
  Rig rig(plan_of(worker, 0, idle_timeout), {.send_buffer = 4'096, .rate_window = Duration{480}});
  Wire client = asks_and_does_not_read(rig);
  let_pass(idle_timeout + Duration{500});
  CHECK(transactions(rig) == 1);
  CHECK(client.read_answer().body.size() == kAnswer);
  let_pass(Duration{300});  // several looks at the pace: the idle timeout began when the answer had been taken
  client.write(Rig::request_for());
  CHECK(client.read_answer().body.size() == kAnswer);
  CHECK(rig.closed_clients() == 0);
}
