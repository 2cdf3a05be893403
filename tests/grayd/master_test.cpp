#include "grayd/master.hpp"

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/control/traffic/settings_support.hpp"
#include "tests/grayd/routers/fake_router.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::master;

namespace {

/// One worker that reports that it is ready. The fake router reports every worker as healthy, and sends the master
/// SIGTERM when the master listens.
Settings one_worker_in(const test::Folder& folder) {
  ::setenv("GRAY_FAKE_ROUTER", "ending", 1);
  auto version = test::version_named("v1");
  version.command = {"sh", "-c", "echo READY=1 >&$GRAY_READY_FD; exec sleep 60"};
  version.cwd = folder.path;
  version.ready.automatic = false;
  version.ready.ways = {ReadyWay::pipe};
  version.drain_timeout = Duration{1'000};
  ServiceSettings service;
  service.name = "web";
  service.stable = "v1";
  service.versions = {version};
  auto settings = test::settings_of(service);
  settings.state_dir = folder.path / "state";
  settings.access_log = folder.path / "log" / "access.log";
  settings.admin = folder.path / "admin.sock";
  settings.listen = {folder.socket("web.sock")};
  return settings;
}

}  // namespace

TEST_CASE("the master serves once stable is up, and stops in order after SIGTERM") {
  const test::Folder folder;
  const auto settings = one_worker_in(folder);
  ::alarm(60);  // a master that never listens gets no SIGTERM
  CHECK(Master(settings).run() == 0);
  ::alarm(0);
  CHECK(std::filesystem::exists(settings.access_log));
  CHECK_FALSE(std::filesystem::exists(settings.admin));
  CHECK_FALSE(std::filesystem::exists(settings.listen[0].path));
}

TEST_CASE("a resource that is not available is reported before anything is started") {
  const test::Folder folder;
  auto settings = one_worker_in(folder);
  Listeners taken({*Address::parse("127.0.0.1:0")});
  taken.listen();
  settings.listen = taken.addresses();
  CHECK_THROWS_WITH_AS(Master{settings}, doctest::Contains("is in use"), std::runtime_error);
  settings.listen = {};
  settings.metrics = taken.addresses().front().text();
  CHECK_THROWS_WITH_AS(Master{settings}, doctest::Contains("change [listen] metrics"), std::runtime_error);
  settings.metrics.clear();
  settings.dashboard = taken.addresses().front().text();
  CHECK_THROWS_WITH_AS(Master{settings}, doctest::Contains("change [listen] dashboard"), std::runtime_error);
  settings.dashboard.clear();
  settings.access_log = "/proc/none/access.log";
  CHECK_THROWS_WITH_AS(Master{settings}, doctest::Contains("access log"), std::runtime_error);
}
