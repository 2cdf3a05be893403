#include "supervisor/fleet.hpp"

#include "tests/supervisor/fake_host.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;

namespace {

struct OneFleet : FakeContext {
  int wakes = 0;
  Fleet fleet{context, [this] { ++wakes; }};

  Version& make(const std::string& name) { return fleet.get("web", name, true, now); }
};

}  // namespace

TEST_CASE_FIXTURE(OneFleet, "a version is created at its first use") {
  CHECK(fleet.find("web", "v1") == nullptr);
  Version& version = make("v1");
  CHECK(&make("v1") == &version);
  CHECK(fleet.find("web", "v1") == &version);
  CHECK(fleet.find("api", "v1") == nullptr);
  CHECK(fleet.versions().size() == 1);
  CHECK(fleet.empty());
}

TEST_CASE_FIXTURE(OneFleet, "only versions that are touched or due are served") {
  Version& first = make("v1");
  for (int i = 2; i < 100; ++i) make("v" + std::to_string(i));
  CHECK(fleet.take(now).empty());
  first.touch(0);
  CHECK(wakes == 1);
  CHECK(fleet.take(now) == std::vector<Version*>{&first});
  CHECK(fleet.take(now).empty());
  fleet.touch(*fleet.find("web", "v7"));
  fleet.touch(first);
  CHECK(fleet.take(now) == std::vector<Version*>{&first, fleet.find("web", "v7")});
  first.due.set(0, now + 5s);
  fleet.served(first);
  CHECK(fleet.next() == now + 5s);
  CHECK(fleet.take(now).empty());
  CHECK(fleet.take(now + 5s) == std::vector<Version*>{&first});
  fleet.touch_all();
  CHECK(fleet.take(now).size() == 99);
}

TEST_CASE_FIXTURE(OneFleet, "it knows the versions with workers that may start") {
  Version& version = make("v1");
  make("v2");
  version.group.apply(Running::shell("exit"), now);
  fleet.served(version);
  CHECK(fleet.any_startable());
  CHECK(fleet.startable() == std::vector<Version*>{&version});
  CHECK_FALSE(fleet.empty());
  version.group.stop(WorkerEvent::stop, now);
  fleet.served(version);
  CHECK_FALSE(fleet.any_startable());
  CHECK(fleet.empty());
}

TEST_CASE_FIXTURE(OneFleet, "a version that is to be forgotten is removed when it has no slot") {
  Version& version = make("v1");
  version.forget = true;
  version.group.apply(Running::shell("exit"), now);
  fleet.served(version);
  CHECK(fleet.versions().size() == 1);
  version.group.stop(WorkerEvent::stop, now);
  fleet.served(version);
  CHECK(fleet.versions().empty());
  CHECK_FALSE(fleet.next());
}
