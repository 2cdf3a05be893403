#include "control/report/memory_report.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/control/traffic/settings_support.hpp"

using namespace gray;
using namespace gray::control;
using nlohmann::json;

namespace {

struct MemoryReportFixture {
  segment::Segment segment = segment::Segment::create();
  Rows rows{segment};
  std::uint32_t row = *rows.take("web", "v2");

  RouterMemory router(pid_t pid, std::uint64_t bytes, RouterState state = RouterState::ready) const {
    RouterMemory memory{.pid = pid, .state = state, .answered = true, .report = {}, .rss = 10 * bytes};
    memory.report.shares = {
        {.owner = MemoryOwner::queue, .row = row, .count = 2, .bytes = bytes, .high_water = 77},
        {.owner = MemoryOwner::code, .row = {}, .count = 1, .bytes = 3 * bytes, .high_water = 0},
        {.owner = MemoryOwner::kernel_sockets, .row = row, .count = 1, .bytes = 5, .high_water = 9}};
    memory.report.largest = {{.owner = MemoryOwner::queue,
                              .row = row,
                              .client = "192.0.2.1:5",
                              .path = "/x",
                              .worker = {},
                              .bytes = bytes,
                              .kernel_bytes = 4,
                              .age_ms = 1'500,
                              .waits_for = WaitsFor::socket}};
    return memory;
  }
  static json owner(const Reply& reply, const std::string& name, const json& version = nullptr) {
    for (const json& one : reply.body.at("owners"))
      if (one.at("owner") == name && one.at("version") == version) return one;
    return nullptr;
  }
};

}  // namespace

TEST_CASE_FIXTURE(MemoryReportFixture, "owners are sums over the routers, by version; sockets are not of the process") {
  auto draining = router(8, 100, RouterState::draining);
  draining.report.leaks = {{"a.cpp:1", 2, 300, "client 4"}};
  const auto reply = memory_report({draining, router(9, 1'000)}, rows);
  REQUIRE(reply.code == ExitCode::ok);
  CHECK(reply.body.at("schema_version") == 1);
  CHECK(reply.body.at("rss_bytes") == 11'000);
  CHECK(reply.body.at("accounted_bytes") == 4'400);
  CHECK(reply.body.at("kernel_bytes") == 10);
  const json queue = owner(reply, "queue", "v2");
  CHECK(queue.at("service") == "web");
  CHECK(queue.at("count") == 4);
  CHECK(queue.at("bytes") == 1'100);
  CHECK(queue.at("high_water_bytes") == 1'100);     // never below the bytes of now
  CHECK(owner(reply, "tunnels").at("bytes") == 0);  // every owner is there
  CHECK(owner(reply, "kernel-sockets", "v2").at("high_water_bytes") == 18);
  REQUIRE(reply.body.at("largest").size() == 2);
  const json& largest = reply.body.at("largest")[0];
  CHECK(largest.at("bytes") == 1'000);
  CHECK(largest.at("age_s") == 1.5);
  CHECK(largest.at("client") == "192.0.2.1:5");
  CHECK(largest.at("path") == "/x");
  CHECK(largest.at("owner") == "queue");
  CHECK(largest.at("waits_for") == "a socket of v2");
  CHECK(reply.body.at("leaks") == json::parse(R"([{"site":"a.cpp:1","count":2,"bytes":300,"held_by":"client 4"}])"));
  CHECK(reply.body.at("routers")[0].at("state") == "draining");
}

TEST_CASE_FIXTURE(MemoryReportFixture, "only the ten largest of all routers are shown") {
  std::vector<RouterMemory> many;
  for (int i = 1; i <= 12; ++i)
    many.push_back(router(i, static_cast<std::uint64_t>(i), i == 12 ? RouterState::ready : RouterState::draining));
  const auto reply = memory_report(many, rows);
  REQUIRE(reply.body.at("largest").size() == kLargestHolders);
  CHECK(reply.body.at("largest")[0].at("bytes") == 12);
  CHECK(reply.body.at("largest")[9].at("bytes") == 3);
}

TEST_CASE_FIXTURE(MemoryReportFixture, "a version that is gone has no name any more") {
  rows.keep([](const std::string&, const std::string&) { return false; });
  const auto reply = memory_report({router(9, 10)}, rows);
  CHECK(owner(reply, "queue").at("bytes") == 10);
  CHECK(reply.body.at("largest")[0].at("waits_for") == "a socket of its version");
}

TEST_CASE_FIXTURE(MemoryReportFixture, "without an answer of the router that serves there is no report") {
  auto silent = router(9, 10);
  silent.answered = false;
  const auto late = memory_report({router(8, 1, RouterState::draining), silent}, rows);
  CHECK(late.code == ExitCode::timeout);
  CHECK(late.error.find("router 9 did not answer within a second") != std::string::npos);
  CHECK(memory_report({}, rows).code == ExitCode::failed);
  CHECK(memory_report({router(8, 1, RouterState::draining)}, rows).code == ExitCode::failed);
  auto old = router(8, 1, RouterState::draining);
  old.answered = false;
  const auto reply = memory_report({old, router(9, 10)}, rows);
  CHECK(reply.code == ExitCode::ok);
  CHECK(reply.body.at("routers")[0].at("answered") == false);
}

TEST_CASE_FIXTURE(MemoryReportFixture, "workers are shown with what was recorded of them") {
  Settings settings = test::settings_of(test::web());
  State state;
  std::uint64_t bytes = 1'000;
  VersionMemory recorded;
  const auto view = test::version_view("v1", {test::worker("web@v1#0", 1, true)});
  segment::Totals totals;
  for (int i = 0; i < 5; ++i) {
    recorded.look(TimePoint{MemoryTrend::kInterval * i}, view, totals,
                  {[&](pid_t) { return bytes; }, [](pid_t) { return 1u; }});
    bytes += 512;
    totals.requests += 1'000;
  }
  const ReportSource source{.settings = settings,
                            .state = state,
                            .rows = rows,
                            .layout = *segment,
                            .views = {view, test::version_view("v2", {})},
                            .now = TimePoint{MemoryTrend::kInterval * 5},
                            .resident_bytes = test::a_kilobyte,
                            .running = [](pid_t) { return Running{}; },
                            .memory_bytes = [](pid_t) { return 4'096u; },
                            .memory_of = [&](auto&, auto& version) { return version == "v1" ? &recorded : nullptr; }};
  const json answer = worker_memory_report(source);
  CHECK(answer.at("interval_s") == 30);
  const json& v1 = answer.at("versions")[0];
  CHECK(v1.at("stable") == true);
  CHECK(v1.at("slope_bytes") == doctest::Approx(512));
  const json& worker = v1.at("workers")[0];
  CHECK(worker.at("memory_bytes") == 4'096);
  CHECK(worker.at("rss_bytes") == 1'024);
  REQUIRE(worker.at("samples").size() == 5);
  CHECK(worker.at("samples")[0].at("age_s") == 150);
  CHECK(worker.at("samples")[4].at("bytes") == 3'048);
  CHECK(answer.at("versions")[1].at("slope_bytes").is_null());
}
