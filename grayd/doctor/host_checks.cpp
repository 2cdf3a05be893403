#include "grayd/doctor/host_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/base/units.hpp"

namespace gray::doctor {
namespace {

constexpr std::uint64_t kMiB = 1ull << 20, kGiB = 1ull << 30;
constexpr std::uint64_t kOwnFiles = 200;   // of a router: listeners, channels, events
constexpr std::uint64_t kLargeLog = kGiB;  // without a rotation it goes on growing
constexpr std::uint64_t kLeastFree = 100 * kMiB;
constexpr std::uint64_t kLeastPart = 20;  // of a disk: one part in so many is free
constexpr Duration kAhead{5'000};
constexpr std::uint32_t kOthers = 0007;

std::string rounded(std::uint64_t bytes) {
  if (bytes >= 10 * kGiB) return fmt::format("{} GiB", bytes / kGiB);
  if (bytes >= 10 * kMiB) return fmt::format("{} MiB", bytes / kMiB);
  return fmt::format("{} KiB", (bytes + 1'023) / 1'024);
}

std::string why_not(const Facts& facts, const std::string& check) {
  const auto found = facts.unseen.find(check);
  return found == facts.unseen.end() ? "not known" : found->second;
}

void check_config(const Facts& facts, Checkup& out) {
  if (!facts.config) return out.skip("config", why_not(facts, "config"));
  if (!facts.config->errors.empty())
    out.add("config", Severity::error, facts.config->path,
            "the file on disk is not valid: a reload is refused, and a restart would fail",
            fmt::format("grayd --config {} --check", facts.config->path));
  out.pass("config", facts.config->path + " is valid");
}

void check_files(const Facts& facts, Checkup& out) {
  const auto router =
      std::ranges::find_if(facts.routers, [](const RouterFacts& one) { return one.file_limit.has_value(); });
  if (router == facts.routers.end() || !facts.config || facts.config->max_connections == 0)
    return out.skip("files", why_not(facts, "files"));
  const std::uint64_t needed = needed_files(facts), limit = *router->file_limit;
  if (limit < needed)
    out.add("files", Severity::error, "router.max_connections",
            fmt::format("a router may open {} files, but needs up to {}: {} for clients, the rest for workers; "
                        "clients above it are refused",
                        limit, needed, facts.config->max_connections),
            fmt::format("LimitNOFILE={} in the unit of grayd (ulimit -Hn without systemd) and a restart, or lower "
                        "max_connections in [router]",
                        needed));
  out.pass("files", fmt::format("a router may open {} files, and needs up to {}", limit, needed));
}

void check_memory(const Facts& facts, Checkup& out) {
  if (!facts.memory || !facts.config || facts.config->memory_budget == 0)
    return out.skip("memory", why_not(facts, "memory"));
  const bool grouped = facts.memory->group_limit > 0 && facts.memory->group_limit < facts.memory->ram;
  const std::uint64_t limit = grouped ? facts.memory->group_limit : facts.memory->ram;
  const std::string of = grouped ? "the control group of grayd" : "this host";
  const std::uint64_t budget = facts.config->memory_budget;
  if (budget > limit / 2)
    out.add("memory", budget > limit ? Severity::error : Severity::warning, "memory.budget",
            fmt::format("the budget is {}, and {} has {}: the kernel may kill a process before the budget is reached",
                        rounded(budget), of, rounded(limit)),
            fmt::format("budget = \"{}\" in [memory]", format_size(std::max(16 * kMiB, limit / 4 / kMiB * kMiB))));
  std::uint64_t workers = 0;
  for (const ServiceFacts& service : facts.services)
    for (const VersionFacts& version : service.versions) workers += version.memory_limit * version.workers.size();
  if (workers + budget > limit)
    out.add("memory", Severity::warning, "memory",
            fmt::format("the limits of the workers, {}, and the budget, {}, are more than {} has, {}", rounded(workers),
                        rounded(budget), of, rounded(limit)),
            "lower memory of the versions, or instances");
  out.pass("memory", fmt::format("budget {}; {} has {}", rounded(budget), of, rounded(limit)));
}

void check_program(const Facts& facts, Checkup& out) {
  if (!facts.program) return out.skip("program", why_not(facts, "program"));
  if (facts.program->gone)
    out.add("program", Severity::warning, facts.program->path,
            "the file of the running grayd was removed: a restart would fail", "install grayd again");
  else if (facts.program->replaced)
    out.add(
        "program", Severity::warning, facts.program->path,
        fmt::format("the file is not the program that runs (grayd {}): it was replaced after the start", facts.version),
        "grayctl upgrade, which loses no request");
  out.pass("program", fmt::format("grayd {} runs from {}", facts.version, facts.program->path));
}

void check_clock(const Facts& facts, Checkup& out) {
  if (facts.saved_ahead && *facts.saved_ahead > kAhead)
    out.add("clock", Severity::warning, "clock",
            fmt::format("the state was saved {} s in the future: the clock was set back",
                        facts.saved_ahead->count() / 1'000),
            "check the time of the host: timedatectl");
  if (!facts.clock_set) return out.skip("clock", why_not(facts, "clock"));
  if (!*facts.clock_set)
    out.add("clock", Severity::hint, "clock",
            "nothing sets the clock of this host: times of logs and cookies may be wrong",
            "apt install chrony, or systemd-timesyncd");
  out.pass("clock", "the clock is synchronised");
}

void check_admin(const Facts& facts, Checkup& out) {
  if (!facts.admin) return out.skip("admin-socket", why_not(facts, "admin-socket"));
  if ((facts.admin->mode & kOthers) != 0)
    out.add("admin-socket", Severity::error, facts.admin->path,
            fmt::format("its mode is {:04o}: every user of this host may control grayd", facts.admin->mode),
            fmt::format("chmod 0660 {}", facts.admin->path));
  out.pass("admin-socket", fmt::format("{} {}:{}, mode {:04o}", facts.admin->path, facts.admin->owner,
                                       facts.admin->group, facts.admin->mode));
}

void check_store(const StoreFacts& store, Checkup& out) {
  const bool little = store.free_bytes < kLeastFree;
  if (little || store.free_bytes < store.disk_bytes / kLeastPart)
    out.add("disk", little ? Severity::error : Severity::warning, store.path,
            fmt::format("{} of {} are free for {}: when the disk is full, lines and changes are lost",
                        rounded(store.free_bytes), rounded(store.disk_bytes), store.what),
            "remove old files, or name another folder in the file");
  if (store.what == "access_log" && store.bytes > kLargeLog)
    out.add("log", Severity::warning, store.path, fmt::format("it has {}: nothing rotates it", rounded(store.bytes)),
            "rotate it with logrotate, whose postrotate sends SIGUSR1 to grayd (docs/operations.md)");
}

void check_stores(const Facts& facts, Checkup& out) {
  if (facts.stores.empty()) {
    out.skip("disk", why_not(facts, "disk"));
    return out.skip("log", why_not(facts, "disk"));
  }
  std::string log = "the access log is off";
  for (const StoreFacts& store : facts.stores) {
    check_store(store, out);
    if (store.what == "access_log") log = fmt::format("{} has {}", store.path, rounded(store.bytes));
  }
  const auto least = std::ranges::min_element(facts.stores, {}, &StoreFacts::free_bytes);
  out.pass("disk", fmt::format("{} free for {}", rounded(least->free_bytes), least->what));
  out.pass("log", log);
}

}  // namespace

std::uint64_t needed_files(const Facts& facts) {
  std::uint64_t files = kOwnFiles + (facts.config ? facts.config->max_connections : 0);
  for (const ServiceFacts& service : facts.services)
    for (const VersionFacts& version : service.versions)
      files += std::uint64_t{service.max_sockets} * version.workers.size();
  return files;
}

void check_host(const Facts& facts, Checkup& out) {
  check_config(facts, out);
  check_files(facts, out);
  check_memory(facts, out);
  check_program(facts, out);
  check_clock(facts, out);
  check_admin(facts, out);
  check_stores(facts, out);
}

}  // namespace gray::doctor
