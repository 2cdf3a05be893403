#include "grayd/doctor/worker_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "config/base/address.hpp"
#include "grayd/init/remedies.hpp"

namespace gray::doctor {
namespace {

constexpr std::uint32_t kManyRestarts = 3;
constexpr int kSlowPart = 2;  // a start that takes more than half of ready_timeout

std::string seconds_text(Duration time) { return fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1'000); }

std::string logs_of(const VersionFacts& version) {
  return fmt::format("grayctl logs {} {}", version.service, version.name);
}

std::uint16_t port_of(const WorkerFacts& worker) {
  const auto address = Address::parse(worker.address);
  return address && address->kind != Address::Kind::unix_path ? address->port : std::uint16_t{0};
}

void check_port(const VersionFacts& version, const WorkerFacts& worker, Checkup& out) {
  const std::uint16_t given = port_of(worker);
  if (!worker.ports || worker.pid == 0 || given == 0 || init::has_port(*worker.ports, given)) return;
  if (version.up(worker) || worker.ports->empty()) return;  // it may just start
  out.add("port", Severity::error, worker.id, init::elsewhere(*worker.ports, given),
          init::how_to_take_port(init::PortFrom::environment));
}

void check_everywhere(const WorkerFacts& worker, Checkup& out) {
  const auto open = worker.ports ? init::open_to_all(*worker.ports) : std::vector<init::OpenPort>{};
  if (!open.empty()) out.add("open-listener", Severity::error, worker.id, init::everywhere(open), init::kListenOnHost);
}

void check_ready(const VersionFacts& version, const WorkerFacts& worker, Checkup& out) {
  if (worker.ready_after && version.ready_timeout && *worker.ready_after * kSlowPart > *version.ready_timeout)
    out.add(
        "ready", Severity::warning, worker.id,
        fmt::format("it was ready after {}, and fails after {}", seconds_text(*worker.ready_after),
                    seconds_text(*version.ready_timeout)),
        fmt::format("raise ready_timeout of [service.{}.version.{}], or start faster", version.service, version.name));
  else if (version.automatic.value_or(false) && worker.ready_by == "tcp")
    out.add("ready", Severity::hint, worker.id, init::kNoMessage,
            "let it write READY=1 to GRAY_READY_FD, or set ready = \"tcp\" to say that there is no message");
}

void check_process(const WorkerFacts& worker, Checkup& out) {
  if (!worker.leader || worker.below.empty() || !is_launcher(worker.leader->name)) return;
  const ProcessFacts& last = worker.below.back();
  out.add("process", Severity::warning, worker.id,
          fmt::format("grayd started {} (pid {}), and that started {} (pid {}): signals, the exit code and the ready "
                      "message of the program go through {}",
                      worker.leader->name, worker.leader->pid, last.name, last.pid, worker.leader->name),
          "start the program itself: command = [\"PROGRAM\", \"ARGUMENT\"]; behind a shell: [\"sh\", \"-c\", \"exec "
          "PROGRAM ...\"]");
}

void check_restarts(const VersionFacts& version, const WorkerFacts& worker, Checkup& out) {
  const bool waits = worker.state == "backoff" || worker.state == "failed";
  if (worker.restarts == 0 && !waits) return;
  const bool often = waits || worker.restarts >= kManyRestarts;
  out.add("restarts", often ? Severity::error : Severity::warning, worker.id,
          fmt::format("it was restarted {} time{}{}{}", worker.restarts, worker.restarts == 1 ? "" : "s",
                      worker.last_exit.empty() ? "" : ", last because of: " + worker.last_exit,
                      waits ? "; it does not run now (" + worker.state + ")" : ""),
          logs_of(version) + "; grayctl events has each exit with its last lines");
}

void check_health(const VersionFacts& version, const WorkerFacts& worker, Checkup& out) {
  if (worker.state != "unhealthy") return;
  out.add("health", Severity::error, worker.id, "its health check fails: it gets no requests",
          logs_of(version) + "; the check is health of the version in the file");
}

std::string count_of(std::size_t workers) { return fmt::format("{} worker{}", workers, workers == 1 ? "" : "s"); }

}  // namespace

bool is_launcher(const std::string& name) {
  static constexpr std::string_view kLaunchers[] = {
      "npm", "npx",  "yarn", "pnpm",  "bunx", "sh",     "bash",   "dash",   "zsh",  "ash",       "ksh", "fish",
      "env", "sudo", "su",   "nohup", "uv",   "pipenv", "poetry", "dotenv", "tini", "dumb-init", "make"};
  return std::ranges::count(kLaunchers, name) > 0;
}

void check_workers(const Facts& facts, Checkup& out) {
  std::size_t running = 0, seen = 0;
  Duration slowest{0};
  for (const ServiceFacts& service : facts.services) {
    for (const VersionFacts& version : service.versions) {
      for (const WorkerFacts& worker : version.workers) {
        running += worker.pid > 0;
        seen += worker.pid > 0 && worker.ports.has_value();
        if (worker.ready_after) slowest = std::max(slowest, *worker.ready_after);
        check_port(version, worker, out);
        check_everywhere(worker, out);
        check_ready(version, worker, out);
        check_process(worker, out);
        check_restarts(version, worker, out);
        check_health(version, worker, out);
      }
    }
  }
  for (const char* check : {"port", "open-listener"}) {
    const bool is_port = std::string_view(check) == "port";
    if (seen < running)
      out.skip(check, fmt::format("the sockets of {} of {} belong to another user: run this as root", running - seen,
                                  count_of(running)));
    else
      out.pass(check, fmt::format("{}: {}", count_of(seen),
                                  is_port ? "each that listens does so where grayd told it"
                                          : "none listens on every interface"));
  }
  out.pass("ready", slowest > Duration{0} ? "the slowest start took " + seconds_text(slowest) : "nothing to say");
  out.pass("process", count_of(running) + ": grayd started the program itself");
  out.pass("restarts", "no worker was restarted");
  out.pass("health", "no health check fails");
}

}  // namespace gray::doctor
