#include "grayd/warning_log.hpp"

#include <doctest/doctest.h>

#include "config/base/archive.hpp"
#include "tests/grayd/fake_owners.hpp"

using namespace gray;
using namespace gray::master;
using control::Warning;

TEST_CASE("a warning is one event while it lasts, and another one when it returns") {
  test::KeptEvents kept;
  WarningLog log(kept);
  const Warning backlog{"listen-backlog", "web", "v1", "a backlog of 5"};
  const Warning proxy{"trusted-proxies", "", "", "the peer 10.0.0.7"};
  log.update({backlog});
  log.update({backlog, proxy});
  log.update({Warning{"listen-backlog", "web", "v1", "a backlog of 6"}, proxy});
  REQUIRE(kept.events.size() == 2);
  CHECK(kept.events[0].kind == EventKind::warning);
  CHECK(kept.events[0].service == "web");
  CHECK(kept.events[0].version == "v1");
  CHECK(kept.events[0].cause == "listen-backlog");
  CHECK(kept.events[0].text == "a backlog of 5");
  CHECK(kept.events[1].cause == "trusted-proxies");
  log.update({proxy});
  log.update({backlog, proxy});
  CHECK(kept.events.size() == 3);
}

TEST_CASE("the next image does not repeat a warning") {
  test::KeptEvents kept;
  WarningLog log(kept), next(kept);
  const Warning proxy{"trusted-proxies", "", "", "the peer 10.0.0.7"};
  log.update({proxy});
  Save save;
  log.archive(save);
  const auto taken = save.take();
  Load load(taken, std::set<int>());
  next.archive(load);
  next.update({proxy});
  CHECK(kept.events.size() == 1);
}
