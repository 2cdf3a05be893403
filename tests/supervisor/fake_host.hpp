#pragma once
// A host that probes by connecting itself, a loop that runs until a condition is true, and both after an exec.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <functional>
#include <set>

#include "config/base/archive.hpp"
#include "config/base/unique_fd.hpp"
#include "supervisor/supervisor.hpp"
#include "supervisor/worker.hpp"

namespace gray::supervisor {

class FakeHost final : public Host {
 public:
  explicit FakeHost(asio::io_context& io) : io_(io) {}

  /// State that a master itself restores after an exec.
  void resume(const FakeHost& before) {
    can_probe = before.can_probe;
    traffic = before.traffic;
    sockets = before.sockets;
    most_cells = before.most_cells;
    cells = before.cells;
    groups = before.groups;
    events = before.events;
  }

  Supervisor* supervisor = nullptr;
  bool can_probe = true;
  bool traffic = true;
  std::uint32_t sockets = 0;
  std::uint32_t most_cells = 64;
  std::set<std::uint32_t> cells;
  std::set<pid_t> groups;
  int changes = 0;
  std::vector<EventRecord> events;

  void workers_changed() override { ++changes; }
  bool probe(std::uint64_t id, std::uint32_t, const Address& address, uid_t, const HttpProbe& http, Duration) override {
    if (!can_probe) return false;
    asio::post(io_, [this, id, ok = connects(address) && http.path != "/broken"] {
      supervisor->probed(id, ok, ok ? "" : "refused");
    });
    return true;
  }
  std::optional<std::uint32_t> take_cell() override {
    if (cells.size() >= most_cells) return std::nullopt;
    std::uint32_t cell = 0;
    while (cells.contains(cell)) ++cell;
    cells.insert(cell);
    return cell;
  }
  void give_cell(std::uint32_t cell) override { CHECK(cells.erase(cell) == 1); }
  std::uint32_t open_sockets(std::uint32_t) const override { return sockets; }
  void group_started(pid_t pgid) override { CHECK(groups.insert(pgid).second); }
  void group_gone(pid_t pgid) override { CHECK(groups.erase(pgid) == 1); }
  bool carries_traffic(const std::string&, const std::string&) const override { return traffic; }
  void emit(EventRecord event) override { events.push_back(std::move(event)); }

 private:
  static bool connects(const Address& address) {
    const UniqueFd socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_storage storage{};
    const socklen_t length = address.to(storage);
    return ::connect(socket.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0;
  }
  asio::io_context& io_;
};

/// A supervisor in its own loop. Every case ends with everything stopped and no process left.
struct Running {
  asio::io_context io;
  FakeHost host{io};
  std::string instance =
      "test-" + std::to_string(::getpid()) + "-" + std::to_string(Clock::now().time_since_epoch().count());
  std::unique_ptr<Supervisor> supervisor = std::make_unique<Supervisor>(io, host, instance);

  Running() { host.supervisor = supervisor.get(); }
  /// For the image after an exec: empty until load().
  explicit Running(Restored) : supervisor(std::make_unique<Supervisor>(io, host, kRestored)) {
    host.supervisor = supervisor.get();
  }
  ~Running() {
    if (!supervisor) return;  // it was handed over
    bool done = false;
    supervisor->stop_all([&done] { done = true; });
    CHECK(until([&] { return done; }));
    CHECK(host.groups.empty());
    CHECK(host.cells.empty());
  }

  /// Through text, as in a handover.
  nlohmann::json state(Save& save) const {
    supervisor->archive(save);
    return nlohmann::json::parse(save.take().dump());
  }
  std::string state() const {
    Save save;
    return state(save).dump();
  }
  void load(const nlohmann::json& state, const std::set<int>& fds) {
    Load load(state, fds);
    supervisor->archive(load);
    CHECK(load.left().empty());
    Save again;
    CHECK(this->state(again) == state);
  }

  bool until(const std::function<bool()>& condition, Duration limit = Duration{20'000}) {
    const TimePoint end = Clock::now() + limit;
    while (!condition() && Clock::now() < end) io.run_one_for(std::chrono::milliseconds(10));
    return condition();
  }
  void pass(Duration time) {
    until([] { return false; }, time);
  }

  static VersionSettings shell(const std::string& script) {
    VersionSettings settings;
    settings.name = "v1";
    settings.command = {"sh", "-c", script};
    settings.cwd = "/";
    settings.stop.timeout = Duration{1'000};
    settings.min_healthy = Duration{0};
    return settings;
  }
  static VersionSettings node(const std::string& script) {
    VersionSettings settings = shell("");
    settings.command = {"node", "-e", script};
    return settings;
  }
  VersionView version() const {
    const auto views = supervisor->view();
    return views.empty() ? VersionView{} : views.front();
  }
  bool is(VersionState state) const { return version().state == state; }
  WorkerView worker(std::size_t index = 0) const {
    const auto workers = version().workers;
    return index < workers.size() ? workers[index] : WorkerView{};
  }
  bool worker_is(WorkerState state) const { return worker().state == state; }
};

inline const char* const kServer =
    "require('http').createServer((q, r) => r.end('hi')).listen(process.env.PORT, '127.0.0.1'";

/// What a part of the supervisor needs, with the fake host.
struct FakeContext {
  asio::io_context io;
  FakeHost host{io};
  CgroupTree cgroups;
  WorkerContext context{io, host, cgroups, "context-test-" + std::to_string(::getpid())};
  const TimePoint now = Clock::now();
};

}  // namespace gray::supervisor
