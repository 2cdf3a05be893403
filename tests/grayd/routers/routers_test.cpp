#include "grayd/routers/routers.hpp"

#include <doctest/doctest.h>
#include <signal.h>

#include <fstream>

#include "config/base/archive.hpp"
#include "tests/grayd/fake_owners.hpp"
#include "tests/grayd/routers/fake_router.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

[[maybe_unused]] const bool in_the_tests = test::become_fake_router_if_asked();

constexpr Duration kUpgradeTimeout{20'000};

struct RoutersFixture : test::QuietRoutersOwner {
  asio::io_context io;
  segment::Segment segment = segment::Segment::create();
  int successes = 0, strangers = 0, unused = 0, changes = 0;
  test::KeptEvents events;
  std::vector<bool> possible;
  std::optional<Routers> routers;

  void make(const char* behaviour, RouterLimits limits = {kUpgradeTimeout, kUpgradeTimeout}) {
    ::setenv("GRAY_FAKE_ROUTER", behaviour, 1);
    RouterCommand command;
    command.segment = segment.fd();
    command.freed = segment.freed();
    routers.emplace(io, segment, command, RouterSettings{}, 0, *this, events, limits);
  }
  void workers_unused() override { ++unused; }
  void routers_changed() override { ++changes; }
  void probed(const ProbeOutcome& outcome) override { successes += outcome.ok ? 1 : 0; }
  void met_stranger(const ChannelMessage& report) override { strangers += report.peer ? 1 : 0; }
  void met_untrusted_proxy(const ChannelMessage&) override {}
  void probing_possible(bool yes) override { possible.push_back(yes); }
  void start(const char* behaviour) {
    make(behaviour);
    publish(1);
    routers->start();
  }
  void publish(std::uint64_t number) {
    RoutingTable table;
    table.number = number;
    routers->publish(table, {});
  }
  /// Runs the loop until `done`, at most kUpgradeTimeout.
  template <typename Condition>
  bool until(Condition done) {
    const auto deadline = Clock::now() + kUpgradeTimeout;
    while (!done() && Clock::now() < deadline) {
      io.restart();
      io.run_one_for(Duration{50});
    }
    return done();
  }
  bool is_ready() {
    return until([this] { return routers->any_ready(); });
  }
  pid_t pid() const { return routers->view().front().pid; }
  /// An upgrade to a router with that behaviour; returns its result, unless it is not awaited.
  std::optional<RouterUpgradeEnd> end;
  void begin_router_upgrade(const char* behaviour, Duration timeout = kUpgradeTimeout,
                            Duration drain = Duration{1'000}) {
    ::setenv("GRAY_FAKE_ROUTER", behaviour, 1);
    end.reset();
    REQUIRE(routers->upgrade({}, drain, timeout, [this](const RouterUpgradeEnd& how) { end = how; }));
  }
  RouterUpgradeEnd upgrade(const char* behaviour, Duration timeout = kUpgradeTimeout) {
    begin_router_upgrade(behaviour, timeout);
    REQUIRE(until([this] { return end.has_value(); }));
    CHECK(routers->router_upgrade() == nullptr);
    return *end;
  }
  bool alone(pid_t survivor) {
    return until([this, survivor] { return routers->view().size() == 1 && pid() == survivor; });
  }
};

}  // namespace

TEST_CASE_FIXTURE(RoutersFixture, "a router greets, applies the first table and is ready to probe") {
  start("good");
  CHECK_FALSE(routers->probe({}));
  REQUIRE(is_ready());
  CHECK(routers->all_applied(1));
  CHECK(possible == std::vector<bool>{true});
  CHECK(routers->probe({1, 0, *Address::parse("127.0.0.1:1"), 0, {}, Duration{100}}));
  CHECK(until([this] { return successes == 1; }));
}

TEST_CASE_FIXTURE(RoutersFixture, "a table is applied when every router has reported it") {
  start("good");
  REQUIRE(is_ready());
  publish(2);
  CHECK_FALSE(routers->all_applied(2));
  std::optional<std::string> laggards;
  routers->when_applied(2, kUpgradeTimeout, [&](std::string late) { laggards = late; });
  CHECK(until([&] { return laggards.has_value(); }));
  CHECK(laggards->empty());
  CHECK(routers->all_applied(2));
}

TEST_CASE_FIXTURE(RoutersFixture, "when_applied() names the routers that lag; a dead router does not count") {
  start("stuck");
  REQUIRE(is_ready());
  publish(2);
  std::optional<std::string> late, freed;
  routers->when_applied(2, Duration{50}, [&](std::string laggards) { late = laggards; });
  routers->when_applied(2, kUpgradeTimeout, [&](std::string laggards) { freed = laggards; });
  CHECK(until([&] { return late.has_value(); }));
  CHECK(*late == "router " + std::to_string(pid()));
  CHECK_FALSE(freed);
  ::setenv("GRAY_FAKE_ROUTER", "good", 1);
  ::kill(pid(), SIGKILL);
  CHECK(until([&] { return freed.has_value(); }));
  CHECK(freed->empty());
}

TEST_CASE_FIXTURE(RoutersFixture, "a stranger that a router found at the address of a worker is reported") {
  start("stranger");
  CHECK(until([this] { return strangers == 1; }));
}

TEST_CASE_FIXTURE(RoutersFixture, "a router that has no socket left to a worker, or ends, is reported") {
  start("unused");
  CHECK(until([this] { return unused == 1; }));
  REQUIRE(segment->workers[7].sockets.acquire(0, 10));
  const int before = changes;
  ::kill(pid(), SIGKILL);
  CHECK(until([&] { return changes > before; }));
  CHECK(segment->workers[7].sockets.total() == 0);
  CHECK(unused == 1);
}

TEST_CASE_FIXTURE(RoutersFixture, "a router that dies is replaced at once, and its slot is cleared") {
  start("good");
  REQUIRE(is_ready());
  const auto dead = pid();
  segment::writable_row(*segment, 0, 0, 0).requests = 5;
  REQUIRE(segment->workers[7].sockets.acquire(0, 10));
  ::kill(dead, SIGKILL);
  REQUIRE(until([&] { return routers->any_ready() && pid() != dead; }));
  CHECK(segment->base[0].requests == 5);
  CHECK(segment->workers[7].sockets.total() == 0);
  CHECK(possible == std::vector<bool>{true, false, true});
}

TEST_CASE_FIXTURE(RoutersFixture, "a router that dies young repeatedly is still replaced") {
  start("young");
  std::vector<pid_t> seen;
  CHECK(until([&] {
    const auto views = routers->view();
    if (!views.empty() && (seen.empty() || seen.back() != views.front().pid)) seen.push_back(views.front().pid);
    return seen.size() >= 3;
  }));
}

TEST_CASE_FIXTURE(RoutersFixture, "a router with a different layout, or without hello, is killed and replaced") {
  for (const auto* behaviour : {"alien", "mute"}) {
    CAPTURE(behaviour);
    make(behaviour, {Duration{100}, Duration{100}});
    publish(1);
    routers->start();
    const auto first = pid();
    ::setenv("GRAY_FAKE_ROUTER", "good", 1);
    CHECK(until([&] { return !routers->view().empty() && pid() != first; }));
  }
}

TEST_CASE_FIXTURE(RoutersFixture,
                  "a new router gets its own slot, and the old one drains when the new one has served a while") {
  start("good");
  REQUIRE(is_ready());
  const auto old = pid();
  begin_router_upgrade("good");
  CHECK_FALSE(
      routers->upgrade({}, Duration{0}, kUpgradeTimeout, [](const RouterUpgradeEnd&) { FAIL("it was refused"); }));
  REQUIRE(routers->view().size() == 2);
  CHECK(routers->view()[1].slot == 1);
  REQUIRE(until([this] { return end.has_value(); }));
  CHECK(end->code == ExitCode::ok);
  CHECK(end->pid != old);
  CHECK(alone(end->pid));
  CHECK(routers->any_ready());
}

TEST_CASE_FIXTURE(RoutersFixture,
                  "a router that dies is replaced with the settings of the last upgrade that succeeded") {
  start("good");
  REQUIRE(is_ready());
  ::setenv("GRAY_FAKE_ROUTER", "exits", 1);
  RouterSettings unproven;
  unproven.max_connections = 7;
  REQUIRE(routers->upgrade(unproven, Duration{100}, kUpgradeTimeout, [this](const auto& how) { this->end = how; }));
  REQUIRE(until([this] { return end.has_value(); }));
  CHECK(end->code == ExitCode::failed);
  const test::Folder folder;
  const std::string note = folder.path / "note";
  ::setenv("GRAY_FAKE_ROUTER_NOTE", note.c_str(), 1);
  ::setenv("GRAY_FAKE_ROUTER", "good", 1);
  const auto dead = pid();
  ::kill(dead, SIGKILL);
  REQUIRE(until([this, dead] { return routers->any_ready() && pid() != dead; }));
  ::unsetenv("GRAY_FAKE_ROUTER_NOTE");
  std::uint32_t max_connections = 0;
  std::ifstream(note) >> max_connections;
  CHECK(max_connections == RouterSettings{}.max_connections);
}

TEST_CASE_FIXTURE(RoutersFixture, "a new router that fails in any way does not change the old one") {
  const std::pair<const char*, const char*> rows[] = {
      {"alien", "failed while starting: signal 9 (killed: its protocol or segment layout differs)"},
      {"mute", "failed while starting: signal 9 (killed: it was not ready in time)"},
      {"exits", "failed while starting: exit 4"},
      {"unreaching",
       "failed while running its warm-up check: signal 9 (killed: it was not ready in time); web@v1#0: refused"},
      {"young", "failed while serving beside the old one: exit 3"},
  };
  make("good", {kUpgradeTimeout, Duration{1'000}});  // time enough for the others to fail before, on a busy machine
  publish(1);
  routers->start();
  REQUIRE(is_ready());
  const auto old = pid();
  for (const auto& [behaviour, why] : rows) {
    CAPTURE(behaviour);
    const auto how = upgrade(behaviour);
    CHECK(how.code == ExitCode::failed);
    CHECK_MESSAGE(how.text.find(why) != std::string::npos, how.text);
    CHECK(how.text.ends_with("; the old one keeps serving"));
    CHECK(alone(old));
    CHECK(routers->view().front().state == RouterState::ready);
  }
}

TEST_CASE_FIXTURE(RoutersFixture, "after the timeout of the upgrade a new router that does not serve yet is ended") {
  start("good");
  REQUIRE(is_ready());
  const auto old = pid();
  for (const auto* behaviour : {"mute", "unreaching"}) {
    CAPTURE(behaviour);
    const auto how = upgrade(behaviour, Duration{100});
    CHECK(how.code == ExitCode::timeout);
    CHECK_MESSAGE(how.text.find("after 100ms") != std::string::npos, how.text);
    CHECK(alone(old));
  }
}

TEST_CASE_FIXTURE(RoutersFixture,
                  "the death of the old router ends an upgrade, and another router starts automatically") {
  start("good");
  REQUIRE(is_ready());
  const auto old = pid();
  begin_router_upgrade("unreaching");
  const auto fresh = routers->view().back().pid;
  REQUIRE(until([this] { return routers->view().back().state == RouterState::greeted; }));
  ::setenv("GRAY_FAKE_ROUTER", "good", 1);
  ::kill(old, SIGKILL);
  REQUIRE(until([this] { return end.has_value(); }));
  CHECK(end->code == ExitCode::failed);
  CHECK_MESSAGE(end->text.find("the old router died") != std::string::npos, end->text);
  CHECK(until([&] { return routers->view().size() == 1 && pid() != old && pid() != fresh && routers->any_ready(); }));
}

TEST_CASE_FIXTURE(RoutersFixture, "a fourth router waits for a draining one, at most until the timeout") {
  start("stubborn");
  REQUIRE(is_ready());
  const auto first = pid();
  for (int i = 0; i < 2; ++i) {
    begin_router_upgrade("stubborn", kUpgradeTimeout, Duration{60'000});
    REQUIRE(until([this] { return end.has_value(); }));
    CHECK(end->code == ExitCode::ok);
  }
  REQUIRE(routers->view().size() == Routers::kGenerations);
  const auto how = upgrade("good", Duration{50});
  CHECK(how.code == ExitCode::timeout);
  CHECK(how.pid == 0);
  CHECK_MESSAGE(how.text.find("router " + std::to_string(first) + " drains (6") != std::string::npos, how.text);
  begin_router_upgrade("good");
  CHECK(routers->router_upgrade()->text().starts_with("waiting for room: router " + std::to_string(first)));
  CHECK(routers->view().size() == Routers::kGenerations);
  ::kill(first, SIGKILL);
  REQUIRE(until([this] { return end.has_value(); }));
  CHECK(end->code == ExitCode::ok);
}

TEST_CASE_FIXTURE(RoutersFixture, "a drain ends an upgrade without its callback") {
  start("good");
  REQUIRE(is_ready());
  begin_router_upgrade("unreaching");
  bool drained = false;
  routers->drain(Duration{1'000}, [&] { drained = true; });
  CHECK(routers->router_upgrade() == nullptr);
  CHECK(until([&] { return drained; }));
  CHECK_FALSE(end);
}

TEST_CASE_FIXTURE(RoutersFixture, "a drain ends every router without replacement") {
  start("good");
  REQUIRE(is_ready());
  bool drained = false;
  routers->drain(Duration{1'000}, [&] { drained = true; });
  CHECK(until([&] { return drained; }));
  CHECK(routers->view().empty());
}

TEST_CASE_FIXTURE(RoutersFixture, "a drain before hello does not wait") {
  start("mute");
  bool drained = false;
  routers->drain(kUpgradeTimeout, [&] { drained = true; });
  CHECK(until([&] { return drained; }));
}

TEST_CASE("a router's arguments contain only the options that it needs") {
  RouterCommand command;
  command.listeners = {8, 9};
  CHECK(router_arguments(command) == std::vector<std::string>{"grayd", "router", "--channel", "3", "--segment", "4",
                                                              "--freed", "6", "--listeners", "2"});
  command.access_log = 7;
  command.proxied = 1;
  CHECK(router_arguments(command) == std::vector<std::string>{"grayd", "router", "--channel", "3", "--segment", "4",
                                                              "--freed", "6", "--access-log", "5", "--listeners", "2",
                                                              "--proxied", "1"});
}

namespace {

/// The objects of an image after its exec: they do nothing any more and are not destroyed.
struct Before {
  asio::io_context io;
  test::QuietRoutersOwner owner;
  test::KeptEvents events;
  std::optional<Routers> routers;
};
auto& images_before = *new std::vector<Before*>;  // never freed: leak checkers still find a reference here

Before& image_before(segment::Segment& segment) {
  auto& before = *images_before.emplace_back(new Before);
  RouterCommand command;
  command.segment = segment.fd();
  command.freed = segment.freed();
  before.routers.emplace(before.io, segment, command, RouterSettings{}, 0, before.owner, before.events,
                         RouterLimits{kUpgradeTimeout, kUpgradeTimeout});
  return before;
}

}  // namespace

TEST_CASE_FIXTURE(RoutersFixture, "the next image has the same routers, with their queued messages") {
  ::setenv("GRAY_FAKE_ROUTER", "good", 1);
  auto& before = image_before(segment);
  RoutingTable table;
  table.number = 1;
  before.routers->publish(table, {});
  before.routers->start();
  for (const auto deadline = Clock::now() + kUpgradeTimeout; !before.routers->any_ready() && Clock::now() < deadline;) {
    before.io.restart();
    before.io.run_one_for(Duration{50});
  }
  REQUIRE(before.routers->any_ready());
  before.routers->listen();
  const auto old = before.routers->view().front();
  ::kill(old.pid, SIGSTOP);
  for (unsigned i = 0; i < 1'000; ++i)
    before.routers->probe({i, 0, *Address::parse("127.0.0.1:1"), 0, {}, kUpgradeTimeout});
  Save save;
  save("routers", *before.routers);
  const auto fds = save.fds();
  const auto state = nlohmann::json::parse(save.take().dump());

  make("good");
  Load load(state, fds);
  load("routers", *routers);
  CHECK(load.left().empty());
  REQUIRE(routers->view().size() == 1);
  CHECK(routers->view().front().pid == old.pid);
  CHECK(routers->view().front().slot == old.slot);
  CHECK(routers->view().front().state == RouterState::ready);
  CHECK(routers->any_ready());
  publish(2);  // after all queued messages
  ::kill(old.pid, SIGCONT);
  CHECK(until([this] { return routers->all_applied(2); }));
  CHECK(successes == 1'000);
  ::kill(old.pid, SIGKILL);
  CHECK(until([&] { return routers->any_ready() && routers->view().front().pid != old.pid; }));
}

TEST_CASE_FIXTURE(RoutersFixture, "a router that dies during the exec is waited for and replaced by the next image") {
  ::setenv("GRAY_FAKE_ROUTER", "good", 1);
  auto& before = image_before(segment);
  before.routers->start();
  const auto pid = before.routers->view().front().pid;
  Save save;
  save("routers", *before.routers);
  const auto fds = save.fds();
  const auto state = nlohmann::json::parse(save.take().dump());
  ::kill(pid, SIGKILL);
  make("good");
  Load load(state, fds);
  load("routers", *routers);
  CHECK(until([&] { return routers->view().size() == 1 && routers->view().front().pid != pid; }));
  CHECK(::kill(pid, 0) != 0);
}
