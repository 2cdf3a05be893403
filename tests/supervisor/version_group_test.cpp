#include "supervisor/version_group.hpp"

#include <array>
#include <random>

#include "tests/supervisor/version_play.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace gray::supervisor::play;

TEST_CASE("a failed version still waits for processes that its other dead workers left behind") {
  Play play;
  play.traffic = false;
  play.group.apply(settings(2), play.now);
  play.start_all();
  play.send(0, {.kind = E::exited, .status = W_EXITCODE(1, 0)});  // a process of it is still running
  for (int i = 0; i < 3; ++i) {
    play.die(1);
    play.pass(2s);
    play.start_all();
  }
  REQUIRE(play.group.state(false) == VersionState::failed);
  CHECK(play.group.slots().at(0).machine.state() == exited);
  play.send(0, {E::emptied});
  CHECK_FALSE(play.group.slots().contains(0));
  CHECK(play.group.slots().at(1).machine.state() == failed);
}

TEST_CASE("the configured number of workers is started, and the version serves with the first healthy one") {
  Play play;
  play.group.apply(settings(3), play.now);
  CHECK(play.group.state(true) == VersionState::starting);
  play.start_all();
  CHECK(play.group.count(spawned) == 3);
  play.make_healthy(1);
  CHECK(play.group.state(true) == VersionState::serving);
  CHECK(play.group.state(false) == VersionState::dark);
}

TEST_CASE("a changed number of instances takes effect at once; the least useful workers are stopped") {
  Play play;
  play.group.apply(settings(3), play.now);
  play.start_all();
  play.make_healthy(0);
  play.group.apply(settings(1), play.now);
  CHECK(play.group.count(healthy) == 1);
  CHECK(play.group.count(stopping) == 2);
  play.group.apply(settings(4), play.now);
  play.start_all();
  CHECK(play.group.count(spawned) == 3);
}

TEST_CASE("a changed command replaces one worker after the other; the new one is healthy before the old one drains") {
  Play play;
  play.group.apply(settings(2, "old"), play.now);
  play.bring_up();
  play.group.apply(settings(2, "new"), play.now);
  for (int i = 0; i < 2; ++i) {
    play.start_all();
    CHECK(play.group.count(spawned) == 1);
    CHECK(play.group.count(healthy) == 2);
    play.make_healthy(play.first(spawned));
    CHECK(play.group.count(draining) == 1);
    CHECK(play.group.count(healthy) == 2);
    play.finish_drains();
  }
  CHECK(play.group.slots().size() == 2);
  CHECK(play.with("new") == 2);
  CHECK_FALSE(play.group.startable());
}

TEST_CASE("a replacement stops at the first failure and does not change the old workers") {
  Play play;
  play.group.apply(settings(2, "old"), play.now);
  play.bring_up();
  play.group.apply(settings(2, "new"), play.now);
  play.start_all();
  play.die(play.first(spawned));
  CHECK(play.group.slots().size() == 2);
  CHECK(play.with("old") == 2);
  CHECK(play.group.count(healthy) == 2);
  CHECK(play.group.rolled_back() == "died-before-ready");
  CHECK_FALSE(play.group.startable());
}

TEST_CASE("a replacement that fails half way is undone one by one") {
  Play play;
  play.group.apply(settings(2, "old"), play.now);
  play.bring_up();
  play.group.apply(settings(2, "new"), play.now);
  play.start_all();
  play.make_healthy(play.first(spawned));
  play.finish_drains();
  play.start_all();
  play.die(play.first(spawned));
  play.start_all();
  CHECK(play.group.count(healthy) == 2);
  CHECK(play.with("old") == 2);
  play.make_healthy(play.first(spawned));
  play.finish_drains();
  CHECK(play.group.slots().size() == 2);
  CHECK(play.with("new") == 0);
}

TEST_CASE("a change that needs no new process takes effect at once") {
  Play play;
  play.group.apply(settings(1), play.now);
  play.bring_up();
  VersionSettings changed = settings(1);
  changed.health.fall = 1;
  changed.drain_timeout = 3s;
  play.group.apply(changed, play.now);
  CHECK_FALSE(play.group.startable());
  CHECK(*play.group.slots().at(0).settings == changed);
  play.send(0, {E::probe_failed});
  CHECK(play.group.count(unhealthy) == 1);
  play.group.stop(E::drain, play.now);
  CHECK(play.group.slots().at(0).machine.next_deadline() == play.now + 3s);
}

TEST_CASE("a changed way to report readiness needs a replacement") {
  Play play;
  play.group.apply(settings(1), play.now);
  play.bring_up();
  VersionSettings changed = settings(1);
  changed.ready = {.automatic = false, .ways = {ReadyWay::pipe}};
  play.group.apply(changed, play.now);
  CHECK(play.group.startable());
}

TEST_CASE("a restart replaces every worker by one with the same settings") {
  Play play;
  play.group.apply(settings(1), play.now);
  play.bring_up();
  play.group.restart(play.now);
  play.start_all();
  play.make_healthy(play.first(spawned));
  CHECK(play.group.count(draining) == 1);
}

TEST_CASE("a replacement reports its progress, and is done when no old worker is left") {
  using State = ReplacementState;
  Play play;
  play.group.apply(settings(2), play.now);
  play.bring_up();
  CHECK_FALSE(play.group.replacement().has_value());
  play.group.restart(play.now);
  const auto& progress = play.group.replacement();
  REQUIRE(progress.has_value());
  CHECK(progress->number == 1);
  for (std::uint32_t i = 0; i < 2; ++i) {
    CHECK(progress->state == State::running);
    CHECK(progress->replaced == i);
    CHECK(progress->of == 2);
    play.start_all();
    play.make_healthy(play.first(spawned));
  }
  CHECK(progress->replaced == 2);
  CHECK(progress->state == State::running);  // the old workers still drain
  play.finish_drains();
  CHECK(progress->state == State::done);
  play.group.restart(play.now);
  CHECK(progress->number == 2);
  CHECK(progress->state == State::running);
}

TEST_CASE("a failed restart keeps the remaining old workers, and the new ones with the same settings") {
  Play play;
  play.group.apply(settings(2), play.now);
  play.bring_up();
  play.group.restart(play.now);
  play.start_all();
  play.make_healthy(play.first(spawned));
  play.finish_drains();
  play.start_all();
  play.die(play.first(spawned));
  CHECK(play.group.replacement()->state == ReplacementState::failed);
  CHECK(play.group.replacement()->replaced == 1);
  CHECK(play.group.replacement()->reason == "died-before-ready");
  CHECK(play.group.count(healthy) == 2);
  CHECK(play.group.slots().size() == 2);
  CHECK_FALSE(play.group.startable());
}

TEST_CASE("a new worker that dies after it was healthy also stops the replacement, and is replaced") {
  Play play;
  play.group.apply(settings(2, "old"), play.now);
  play.bring_up();
  play.group.apply(settings(2, "new"), play.now);
  play.start_all();
  const unsigned fresh = play.first(spawned);
  play.make_healthy(fresh);
  play.finish_drains();
  play.die(fresh);
  CHECK(play.group.rolled_back() == "exit 1");
  CHECK(play.with("new") == 0);
  play.bring_up();
  CHECK(play.with("old") == 2);
  CHECK(play.group.slots().size() == 2);
}

TEST_CASE("stopping ends a replacement; with nothing routable it fails when the version does") {
  Play play;
  play.group.apply(settings(1), play.now);
  play.bring_up();
  play.group.restart(play.now);
  play.group.stop(E::drain, play.now);
  CHECK(play.group.replacement()->reason == "stopped");
  CHECK(play.group.rolled_back().empty());
  play.finish_drains();
  play.group.restart(play.now);
  CHECK(play.group.replacement()->number == 1);  // there is nothing to replace
  play.group.apply(settings(1), play.now);
  play.traffic = false;
  play.group.restart(play.now);
  for (int i = 0; i < 12 && play.group.state(true) != VersionState::failed; ++i) {
    play.pass(20s);
    play.start_all();
    play.die(play.first(spawned));
  }
  CHECK(play.group.replacement()->number == 2);
  CHECK(play.group.replacement()->reason == "failed");
}

TEST_CASE("without a routable worker the new settings take effect at once") {
  Play play;
  play.group.apply(settings(2, "old"), play.now);
  play.start_all();
  play.group.apply(settings(2, "new"), play.now);
  play.start_all();
  CHECK(play.group.count(stopping) == 2);
  CHECK(play.group.count(spawned) == 2);
}

TEST_CASE(
    "a version that was never ready fails at its third start failure, and starts again when it is applied again") {
  Play play;
  play.group.apply(settings(2), play.now);
  for (int i = 0; i < 3; ++i) {
    play.pass(40s);
    play.start_all();
    play.die(play.first(spawned));
  }
  CHECK(play.group.state(true) == VersionState::failed);
  CHECK(play.group.count(spawned) == 0);
  CHECK_FALSE(play.group.startable());
  play.group.apply(settings(2), play.now);
  CHECK(play.group.state(true) == VersionState::starting);
  CHECK(play.group.startable());
}

TEST_CASE("a version with traffic is restarted without limit, and its restarts are counted") {
  Play play;
  play.group.apply(settings(1), play.now);
  play.bring_up();
  for (int i = 0; i < 50; ++i) {
    play.die(0);
    CHECK(play.group.count(backoff) == 1);
    play.pass(40s);
    play.bring_up();
  }
  CHECK(play.group.slots().at(0).restarts == 50);
  CHECK(play.group.slots().at(0).last_exit == "exit 1");
}

TEST_CASE("the only worker is not restarted because its probes fail, one of two is") {
  Play play;
  play.group.apply(settings(2), play.now);
  play.bring_up();
  for (int i = 0; i < 3; ++i) play.send(0, {E::probe_failed});
  for (int i = 0; i < 3; ++i) play.send(1, {E::probe_failed});
  play.pass(31s);
  CHECK(play.group.count(unhealthy) == 2);
  for (int i = 0; i < 2; ++i) play.send(1, {E::probe_ok});
  play.pass(31s);
  CHECK(play.group.count(stopping) == 1);
  CHECK(play.group.count(healthy) == 1);
}

TEST_CASE("a worker whose address is taken stays, one of several and the only one, and is reported once") {
  Play play;
  play.group.apply(settings(2), play.now);
  play.bring_up();
  (void)play.group.take_transitions();
  for (const unsigned slot : {0u, 1u}) {
    for (int i = 0; i < 3; ++i) play.send(slot, {E::address_taken});
    const auto transitions = play.group.take_transitions();
    REQUIRE(transitions.size() == 1);
    CHECK(transitions.front().displaced);
    CHECK(transitions.front().from == healthy);
    CHECK(transitions.front().to == unhealthy);
    play.pass(3'600s);
    CHECK(play.group.count(unhealthy) == slot + 1);
  }
  CHECK(play.group.state(true) == VersionState::starting);
  play.send(0, {E::probe_failed});
  play.send(0, {E::address_taken});  // unhealthy before, too: reported all the same
  const auto again = play.group.take_transitions();
  REQUIRE(again.size() == 1);
  CHECK(again.front().displaced);
  CHECK(again.front().from == unhealthy);
  play.send(0, {E::probe_ok});
  CHECK(play.group.count(healthy) == 1);
  CHECK(play.group.slots().at(0).restarts == 0);
}

TEST_CASE("stopping drains serving workers, kills starting ones, and ends in the state stopped") {
  Play play;
  play.group.apply(settings(2), play.now);
  play.start_all();
  play.make_healthy(0);
  play.group.stop(E::drain, play.now);
  CHECK(play.group.state(true) == VersionState::draining);
  CHECK(play.group.count(draining) == 1);
  CHECK(play.group.count(stopping) == 1);
  play.finish_drains();
  play.die(1);
  CHECK(play.group.state(true) == VersionState::stopped);
  CHECK(play.group.empty());
}

TEST_CASE("a shortage sends a worker to back-off without blaming the version") {
  Play play;
  play.group.apply(settings(1), play.now);
  for (int i = 0; i < 20; ++i) {
    play.start_all();
    play.group.exhausted(0, play.now);
    CHECK(play.group.count(backoff) == 1);
    play.pass(100s);
  }
  CHECK(play.group.state(true) == VersionState::starting);
  CHECK(play.group.slots().at(0).last_exit == "resources");
}

TEST_CASE("a worker that uses too much memory is replaced, a new one first") {
  Play play;
  play.bring_up_limited(2);
  CHECK_FALSE(play.group.weighed(1, 100, play.now));
  CHECK(play.group.weighed(1, 101, play.now));
  CHECK(play.group.count(healthy) == 2);
  play.start_all();
  CHECK(play.group.count(healthy) == 2);
  play.make_healthy(play.first(spawned));
  CHECK(play.group.count(healthy) == 2);
  CHECK(play.group.slots().at(1).machine.state() == draining);
  play.finish_drains();
  CHECK(play.group.slots().size() == 2);
  CHECK_FALSE(play.group.slots().contains(1));
  CHECK_FALSE(play.group.startable());
  CHECK_FALSE(play.group.replacement());  // it was not requested
}

TEST_CASE("of several workers that use too much memory one is replaced at a time") {
  Play play;
  play.bring_up_limited(2);
  CHECK(play.group.weighed(0, 101, play.now));
  CHECK_FALSE(play.group.weighed(0, 101, play.now));
  CHECK_FALSE(play.group.weighed(1, 101, play.now));
  play.bring_up();
  play.finish_drains();
  CHECK(play.group.weighed(1, 101, play.now));
}

TEST_CASE("memory is not checked before a worker has run stably, without a limit, or while others are replaced") {
  Play play;
  play.bring_up_limited(1);
  CHECK(play.group.weighed(0, 101, play.now));
  play.bring_up();
  play.finish_drains();
  const unsigned fresh = play.first(healthy);
  CHECK_FALSE(play.group.weighed(fresh, 101, play.now));
  play.now += WorkerMachine::kStableRun;
  CHECK_FALSE(play.group.weighed(fresh + 1, 101, play.now));  // there is no such slot
  play.group.restart(play.now);
  CHECK_FALSE(play.group.weighed(fresh, 101, play.now));
  play.bring_up();
  play.finish_drains();
  play.group.apply(settings(1), play.now);
  play.now += WorkerMachine::kStableRun;
  CHECK_FALSE(play.group.weighed(play.first(healthy), UINT64_MAX, play.now));
  play.group.stop(E::drain, play.now);
  CHECK_FALSE(play.group.weighed(0, UINT64_MAX, play.now));
}

TEST_CASE("a worker that uses too much memory serves until a new one does, even if that repeatedly fails to start") {
  Play play;
  play.bring_up_limited(1);
  CHECK(play.group.weighed(0, 101, play.now));
  for (int i = 0; i < 20; ++i) {
    play.start_all();
    play.die(1);
    CHECK(play.group.slots().at(0).machine.routable());
    play.pass(40s);
  }
  CHECK(play.group.rolled_back().empty());
  play.bring_up();
  CHECK(play.group.slots().at(0).machine.state() == draining);
}

TEST_CASE("a higher number of instances takes effect at once, also during a replacement") {
  Play play;
  play.bring_up_limited(2);
  CHECK(play.group.weighed(0, 101, play.now));
  play.group.apply(settings(5), play.now);
  play.start_all();
  CHECK(play.group.count(healthy) == 2);
  CHECK(play.group.count(spawned) == 3);
  play.bring_up();
  play.finish_drains();
  CHECK(play.group.count(healthy) == 5);
}

TEST_CASE("random events and commands keep the group's invariants") {
  const auto seed = std::random_device{}();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int trace = 0; trace < 3'000; ++trace) {
    Play play;
    play.traffic = random() % 2 == 0;
    for (int step = 0; step < 100; ++step) {
      play.pass(Duration(random() % 3000));
      const auto choice = random() % 13;
      if (choice == 0) {
        VersionSettings next = settings(static_cast<std::uint32_t>(1 + random() % 3), random() % 2 == 0 ? "a" : "b");
        next.memory = 1;
        play.group.apply(next, play.now);
      } else if (choice == 1)
        play.group.stop(std::array{E::drain, E::dismiss, E::stop}[random() % 3], play.now);
      else if (choice == 2)
        play.group.restart(play.now);
      else if (choice == 3)
        play.group.probing(random() % 2 == 0, play.now);
      else if (choice == 4)
        play.bring_up();
      else if (choice == 5 && play.group.count(healthy) > 0)
        play.group.weighed(play.first(healthy), random() % 3, play.now);
      else
        play.send(static_cast<unsigned>(random() % 5),
                  {static_cast<E>(random() % kWorkerEvents), 0, Duration(random() % 1000)});
      std::size_t wanted = 0;
      for (const auto& [number, slot] : play.group.slots()) {
        wanted += slot.machine.wanted() ? 1 : 0;
        if (!slot.machine.wanted() && slot.machine.state() == idle) FAIL("a slot without use was kept");
      }
      if (wanted > 4) FAIL("more than the most asked for, and one in replacement: " << wanted);
      if (play.group.state(true) == VersionState::failed) REQUIRE_FALSE(play.group.startable());
    }
  }
}

TEST_CASE("a group that is handed over before every step behaves the same") {
  Play play;
  play.group.apply(settings(3), play.now);
  play.carry_over();
  play.bring_up();
  play.carry_over();
  play.group.apply(settings(3, "b"), play.now);
  for (int i = 0; i < 3; ++i) {
    play.carry_over();
    CHECK(play.group.replacing());
    play.start_all();
    play.carry_over();
    play.make_healthy(play.first(spawned));
    play.carry_over();
    play.finish_drains();
  }
  play.carry_over();
  CHECK_FALSE(play.group.replacing());
  CHECK(play.with("b") == 3);
  REQUIRE(play.group.replacement());
  CHECK(play.group.replacement()->state == ReplacementState::done);
  CHECK(play.group.state(true) == VersionState::serving);
  play.group.stop(E::stop, play.now);
  play.carry_over();
  for (int i = 0; i < 3; ++i) play.die(play.first(stopping));
  CHECK(play.group.empty());
}

TEST_CASE("a group whose slots name missing settings is refused") {
  Play play;
  play.group.apply(settings(1), play.now);
  Save save;
  play.group.archive(save);
  auto json = save.take();
  json["slots"][0][1]["settings"] = {7};
  VersionGroup fresh{1};
  Load load(json, std::set<int>{});
  CHECK_THROWS(fresh.archive(load));
}

TEST_CASE("an event of one worker is no work for the others") {
  const auto visits_of = [](std::uint32_t instances) {
    Play play;
    play.group.apply(settings(instances), play.now);
    play.bring_up();
    const unsigned slot = instances / 2;
    const std::uint64_t before = play.group.counts().visits();
    play.die(slot);
    play.start_all();
    play.make_healthy(slot);
    play.pass(1ms);
    return play.group.counts().visits() - before;
  };
  CHECK(visits_of(256) == visits_of(4));
}

TEST_CASE("a start of all workers counts each of them as often as if it were alone") {
  const auto visits_of = [](std::uint32_t instances) {
    Play play;
    play.group.apply(settings(instances), play.now);
    play.bring_up();
    return play.group.counts().visits();
  };
  CHECK(visits_of(256) == 256 * visits_of(1));
}
