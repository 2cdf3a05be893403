#include "control/report/memory_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "control/traffic/weights.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

using VersionName = std::optional<std::pair<std::string, std::string>>;  // service, version

VersionName named(const Rows& rows, std::optional<std::uint32_t> row) {
  return row ? rows.owner_of(*row) : std::nullopt;
}

void add_name(json& out, const VersionName& name) {
  out["service"] = name ? json(name->first) : json();
  out["version"] = name ? json(name->second) : json();
}

std::uint64_t accounted(const MemoryReport& report) {
  std::uint64_t bytes = 0;
  for (const MemoryShare& share : report.shares)
    if (in_process(share.owner)) bytes += share.bytes;
  return bytes;
}

/// Every owner at least once, so that a reader finds it.
json owners_json(const std::vector<RouterMemory>& routers, const Rows& rows) {
  std::map<std::pair<MemoryOwner, VersionName>, MemoryShare> sums;
  for (std::size_t owner = 0; owner < static_cast<std::size_t>(MemoryOwner::count); ++owner)
    sums[{static_cast<MemoryOwner>(owner), std::nullopt}];
  for (const RouterMemory& router : routers)
    for (const MemoryShare& share : router.report.shares) {
      MemoryShare& sum = sums[{share.owner, named(rows, share.row)}];
      sum.count += share.count;
      sum.bytes += share.bytes;
      sum.high_water += std::max(share.high_water, share.bytes);
    }
  auto all = json::array();
  for (const auto& [key, sum] : sums) {
    json one = {{"owner", name_of(key.first)},
                {"count", sum.count},
                {"bytes", sum.bytes},
                {"high_water_bytes", sum.high_water}};
    add_name(one, key.second);
    all.push_back(std::move(one));
  }
  return all;
}

json holder_json(const MemoryHolder& holder, const Rows& rows) {
  const auto name = named(rows, holder.row);
  json one = {{"owner", name_of(holder.owner)},
              {"client", holder.client},
              {"path", holder.path},
              {"worker", holder.worker},
              {"bytes", holder.bytes},
              {"kernel_bytes", holder.kernel_bytes},
              {"age_s", static_cast<double>(holder.age_ms) / 1000},
              {"waits_for", text_of(holder.waits_for, name ? name->second : std::string())}};
  add_name(one, name);
  return one;
}

json largest_json(const std::vector<RouterMemory>& routers, const Rows& rows) {
  std::vector<const MemoryHolder*> largest;
  for (const RouterMemory& router : routers)
    for (const MemoryHolder& holder : router.report.largest) largest.push_back(&holder);
  std::ranges::stable_sort(largest, [](const MemoryHolder* one, const MemoryHolder* other) {
    return one->bytes + one->kernel_bytes > other->bytes + other->kernel_bytes;
  });
  if (largest.size() > kLargestHolders) largest.resize(kLargestHolders);
  auto all = json::array();
  for (const MemoryHolder* holder : largest) all.push_back(holder_json(*holder, rows));
  return all;
}

json leaks_json(const std::vector<RouterMemory>& routers) {
  auto all = json::array();
  for (const RouterMemory& router : routers)
    for (const MemoryLeak& leak : router.report.leaks)
      all.push_back({{"site", leak.site}, {"count", leak.count}, {"bytes", leak.bytes}, {"held_by", leak.held_by}});
  return all;
}

json samples_json(const MemoryTrend* trend, TimePoint now) {
  auto all = json::array();
  if (trend == nullptr) return all;
  for (const auto& sample : trend->samples())
    all.push_back({{"age_s", std::chrono::duration<double>(now - sample.at).count()},
                   {"bytes", static_cast<std::uint64_t>(sample.memory)},
                   {"process", sample.processes}});
  return all;
}

}  // namespace

Reply memory_report(const std::vector<RouterMemory>& routers, const Rows& rows) {
  const auto serves = [](const RouterMemory& router) { return router.state == RouterState::ready; };
  const auto serving = std::ranges::find_if(routers, serves);
  if (serving == routers.end()) return refusal(ExitCode::failed, "no router is ready, so there is nothing to look at");
  if (!serving->answered)
    return refusal(ExitCode::timeout,
                   fmt::format("router {} did not answer within a second; its CPU time: top -H -p {}", serving->pid,
                               serving->pid));
  json body = {{"schema_version", 1}};
  std::uint64_t rss = 0, known = 0, kernel = 0;
  auto all = json::array();
  for (const RouterMemory& router : routers) {
    const auto of_it = accounted(router.report);
    rss += router.rss;
    known += of_it;
    for (const MemoryShare& share : router.report.shares)
      if (!in_process(share.owner)) kernel += share.bytes;
    all.push_back({{"pid", router.pid},
                   {"state", name(router.state)},
                   {"answered", router.answered},
                   {"rss_bytes", router.rss},
                   {"accounted_bytes", of_it},
                   {"allocated_bytes", router.report.heap_used},
                   {"longest_turn_us", router.report.longest_turn_us}});
  }
  body["rss_bytes"] = rss;
  body["accounted_bytes"] = known;
  body["kernel_bytes"] = kernel;
  body["owners"] = owners_json(routers, rows);
  body["largest"] = largest_json(routers, rows);
  body["leaks"] = leaks_json(routers);
  body["routers"] = std::move(all);
  return {ExitCode::ok, std::move(body), {}};
}

json worker_memory_report(const ReportSource& source) {
  auto versions = json::array();
  for (const VersionView& view : source.views) {
    const VersionMemory* memory = source.memory_of ? source.memory_of(view.service, view.version) : nullptr;
    const auto slope = memory == nullptr ? std::nullopt : memory->trend().slope();
    const auto* service = source.settings.service(view.service);
    auto workers = json::array();
    for (const WorkerView& worker : view.workers)
      workers.push_back({{"id", worker.id},
                         {"pid", worker.pid},
                         {"rss_bytes", source.resident(worker)},
                         {"memory_bytes", source.memory(worker)},
                         {"samples", samples_json(memory ? memory->worker(worker.id) : nullptr, source.now)}});
    versions.push_back({{"service", view.service},
                        {"version", view.version},
                        {"stable", service != nullptr && shares_of(*service, source.state).stable == view.version},
                        {"slope_bytes", slope ? json(*slope) : json()},
                        {"workers", std::move(workers)}});
  }
  return {{"schema_version", 1},
          {"interval_s", std::chrono::duration<double>(MemoryTrend::kInterval).count()},
          {"versions", std::move(versions)}};
}

}  // namespace gray::control
