// The proof of a replacement, and the way back. The rest of the group is in version_group_test.cpp.
#include "tests/supervisor/version_play.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace gray::supervisor::play;

TEST_CASE("a new worker that ends or turns unhealthy before it is proven costs no old worker") {
  for (const Duration dies_after : {1s, 3s}) {
    for (const bool by_death : {true, false}) {
      CAPTURE(dies_after.count());
      CAPTURE(by_death);
      Play play;
      play.begin_proven_replacement(4, "new");
      const unsigned fresh = play.first(spawned);
      play.make_healthy(fresh);
      play.pass(dies_after);
      CHECK(play.group.count(healthy) == 5);
      if (!by_death) {
        for (int i = 0; i < 3; ++i) play.send(fresh, {E::probe_failed});
        CHECK(play.group.slots().at(fresh).machine.state() == stopping);
      }
      play.die(fresh);
      CHECK(play.group.rolled_back() == (by_death ? "exit 1" : "unhealthy"));
      CHECK(play.group.replacement()->state == ReplacementState::failed);
      CHECK(play.group.replacement()->replaced == 0);
      CHECK(play.group.slots().size() == 4);
      CHECK(play.with("old") == 4);
      CHECK(play.group.count(healthy) == 4);
      CHECK_FALSE(play.group.startable());
    }
  }
}

TEST_CASE("a new worker replaces an old one after the proving time and a passed check") {
  Play play;
  play.begin_proven_replacement(2, "new");
  const unsigned fresh = play.first(spawned);
  play.make_healthy(fresh);
  play.pass(5s);
  CHECK(play.group.count(draining) == 0);
  play.send(fresh, {E::probe_ok});
  CHECK(play.group.count(draining) == 1);
  CHECK(play.group.replacement()->replaced == 1);
}

TEST_CASE("a replaced worker that ends while the replacement runs undoes all of it") {
  Play play;
  play.begin_proven_replacement(4, "new");
  const unsigned first = play.first(spawned);
  play.prove(first);
  play.finish_drains();
  play.start_all();
  const unsigned second = play.first(spawned);
  play.make_healthy(second);
  play.pass(4s);
  play.die(first);
  CHECK(play.group.rolled_back() == "exit 1");
  CHECK(play.with("old") == 4);                             // one of them is new
  CHECK(play.group.slots().at(second).machine.routable());  // serves until an old one does
  play.start_all();
  play.make_healthy(play.first(spawned));  // an old command needs no proof
  CHECK(play.group.slots().at(second).machine.state() == draining);
  play.finish_drains();
  CHECK(play.with("new") == 0);
  CHECK(play.group.count(healthy) == 4);
  CHECK(play.group.replacement()->state == ReplacementState::failed);
}

TEST_CASE("new workers that end while a replacement is undone are not started again") {
  Play play;
  play.begin_proven_replacement(3, "new");
  for (int i = 0; i < 2; ++i) {
    play.prove(play.first(spawned));
    play.finish_drains();
    play.start_all();
  }
  play.die(play.first(spawned));
  CHECK(play.with("new") == 2);
  for (auto dead = play.first_with("new"); dead; dead = play.first_with("new")) play.die(*dead);
  CHECK(play.group.slots().size() == 3);
  CHECK(play.with("old") == 3);
  play.bring_up();
  CHECK(play.group.count(healthy) == 3);
}

TEST_CASE("a replacement can be undone until the last old process is gone") {
  Play play;
  play.begin_proven_replacement(1, "new");
  const unsigned fresh = play.first(spawned);
  play.prove(fresh);
  CHECK(play.group.count(draining) == 1);
  CHECK(play.group.replacing());
  play.carry_over();
  play.die(fresh);
  CHECK(play.group.rolled_back() == "exit 1");
  CHECK(play.group.startable());
  play.start_all();
  CHECK(play.group.slots().at(play.first(spawned)).settings->command[0] == "old");

  Play done;
  done.begin_proven_replacement(1, "new");
  done.prove(done.first(spawned));
  done.finish_drains();
  CHECK_FALSE(done.group.replacing());
  done.die(done.first(healthy));
  CHECK(done.group.rolled_back().empty());
  CHECK(done.with("new") == 1);
}

TEST_CASE("a replacement of a replacement goes back to the last settings whose workers are all proven") {
  for (const bool first_is_proven : {true, false}) {
    CAPTURE(first_is_proven);
    Play play;
    play.begin_proven_replacement(1, "new");
    const unsigned fresh = play.first(spawned);
    first_is_proven ? play.prove(fresh) : play.make_healthy(fresh);
    play.group.apply(proven_settings(1, "newest"), play.now);
    play.start_all();
    play.die(*play.first_with("newest"));
    CHECK(play.group.rolled_back() == "died-before-ready");
    play.bring_up();
    play.finish_drains();
    CHECK(play.group.slots().size() == 1);
    CHECK(play.with(first_is_proven ? "new" : "old") == 1);
  }
}

TEST_CASE("a worker that replaces one with too much memory is proven first, too") {
  Play play;
  VersionSettings limited = proven_settings(1, "a");
  limited.memory = 100;
  play.group.apply(limited, play.now);
  play.bring_up();
  play.now += WorkerMachine::kStableRun;
  CHECK(play.group.weighed(0, 101, play.now));
  play.start_all();
  const unsigned fresh = play.first(spawned);
  play.make_healthy(fresh);
  play.pass(4s);
  CHECK(play.group.count(draining) == 0);
  play.pass(1s);
  play.send(fresh, {E::probe_ok});
  CHECK(play.group.slots().at(0).machine.state() == draining);
}

TEST_CASE("a new worker whose address was taken delays its replacement, and does not end it") {
  Play play;
  play.begin_proven_replacement(1, "new");
  const unsigned fresh = play.first(spawned);
  play.make_healthy(fresh);
  play.send(fresh, {E::address_taken});
  CHECK(play.group.slots().at(fresh).machine.state() == unhealthy);
  play.send(fresh, {E::probe_ok});
  play.pass(5s);
  play.send(fresh, {E::probe_ok});
  CHECK(play.group.count(draining) == 1);
}
