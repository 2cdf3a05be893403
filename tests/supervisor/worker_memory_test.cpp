#include "supervisor/worker_memory.hpp"

#include "tests/supervisor/fake_host.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

ProcessInfo process_of(pid_t pid, pid_t parent, pid_t session) {
  return {.pid = pid, .name = "x", .state = 'S', .parent = parent, .group = session, .session = session};
}

}  // namespace

TEST_CASE("a process belongs to a worker by its session, or because an ancestor does") {
  const std::vector<ProcessInfo> table = {
      process_of(1, 0, 1),    process_of(10, 1, 10),    // init, and the master in its own session
      process_of(20, 10, 20), process_of(21, 20, 20),   // a worker and a child
      process_of(22, 21, 22), process_of(23, 22, 23),   // descendants with sessions of their own
      process_of(24, 10, 20),                           // an orphan of the session
      process_of(30, 10, 30), process_of(31, 30, 30),   // a different worker
      process_of(40, 1, 40),  process_of(41, 40, 40),   // strangers
      process_of(50, 51, 50), process_of(51, 50, 51)};  // a cycle
  const std::map<pid_t, pid_t> expected = {{20, 20}, {21, 20}, {22, 20}, {23, 20}, {24, 20}, {30, 30}, {31, 30}};
  CHECK(worker_of_each(table, {20, 30}) == expected);
  CHECK(worker_of_each(table, {}).empty());
}

TEST_CASE("the memory is measured once a second, and less often if that takes long") {
  WorkerMemory memory;
  int measured = 0;
  Duration takes{0};
  const auto measure = [&] {
    ++measured;
    for (const TimePoint end = Clock::now() + takes; Clock::now() < end;) {
    }
    return WorkerUses{{7, {100u * static_cast<unsigned>(measured), 5}}};
  };
  const TimePoint start{1h};
  CHECK(memory.of(7, start, measure).resident == 100);
  CHECK(memory.of(7, start + 999ms, measure).resident == 100);
  takes = 60ms;
  CHECK(memory.of(7, start + 1'000ms, measure).resident == 200);
  CHECK(memory.of(7, start + 2'199ms, measure).resident == 200);
  CHECK(measured == 2);
  CHECK(memory.of(7, start + 60s, measure).resident == 300);
  CHECK(memory.of(7, start + 60s, measure).group == 5);
}

TEST_CASE("a worker that was started after the measurement counts with its first process") {
  WorkerMemory memory;
  const auto nothing = [] { return WorkerUses{}; };
  CHECK(memory.of(::getpid(), TimePoint{1h}, nothing).group > 0);
}

TEST_CASE_FIXTURE(FakeContext, "a slot without a process has no memory") {
  const Worker worker{context, "v1", "web@v1#0", [] {}};
  CHECK(measure({&worker}).empty());
  CHECK(measure({}).empty());
}
