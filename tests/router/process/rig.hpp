#pragma once
// Router threads without a router: shards on threads of their own that share one segment and hand sockets to each
// other, and a routing table over fake workers.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>

#include "config/shared/totals.hpp"
#include "router/process/shard.hpp"
#include "router/stats/row.hpp"
#include "tests/support/fake_worker.hpp"

namespace gray::test {

/// Versions v1 (stable), v2 (canary), v3 of service "web", by the addresses of their workers; none: no service. The row
/// of a version is its index, the port of a worker is its generation.
struct Plan {
  std::vector<std::vector<Address>> versions;
  Limits limits{};
  double weight = 0;
  std::uint64_t number = 1;
  bool affinity = false;
  std::vector<IdentitySource> identity = {*IdentitySource::parse("header:x-user"), *IdentitySource::parse("client-ip")};
  std::vector<std::uint64_t> draining{};  // workers, of any version
  Duration drain_timeout{30'000};         // of every version
  bool withdrawn = false;                 // v2 has lost its users
  std::vector<std::uint64_t> foreign{};   // workers whose owner is a different user than that of this process
};

/// The buffers of every test are watched, all of them.
inline std::shared_ptr<const RoutingTable> watched(RoutingTable table) {
  table.leak_detection = LeakDetection::paranoid;
  return std::make_shared<const RoutingTable>(std::move(table));
}

inline std::shared_ptr<const RoutingTable> table_of(const Plan& plan) {
  if (plan.versions.empty()) return watched({plan.number, {}});
  ServiceRoute service;
  service.name = "web";
  service.param = "version";
  service.header = "x-version";
  service.cookie = "version";
  service.override_from = {*Cidr::parse("0.0.0.0/0")};
  service.identity = plan.identity;
  service.affinity = plan.affinity;
  service.expose = Expose::decision;
  service.limits = plan.limits;
  service.weight = plan.weight;
  service.salt = "web/v2";
  if (plan.versions.size() > 1) service.canary = 1;
  for (std::uint32_t row = 0; row < plan.versions.size(); ++row) {
    VersionRoute version{.row = row, .name = "v" + std::to_string(row + 1)};
    version.draining = plan.draining;
    version.drain_timeout = plan.drain_timeout;
    version.withdrawn = plan.withdrawn && row == 1;
    for (std::uint32_t i = 0; i < plan.versions[row].size(); ++i) {
      const Address& address = plan.versions[row][i];
      const std::string id = "web@" + version.name + "#" + std::to_string(i);
      const bool foreign = std::ranges::find(plan.foreign, address.port) != plan.foreign.end();
      version.workers.push_back({.cell = row * 8 + i,
                                 .generation = address.port,
                                 .id = id,
                                 .address = address,
                                 .owner = foreign ? ::geteuid() + 1 : ::geteuid()});
    }
    service.versions.push_back(std::move(version));
  }
  return watched({plan.number, {std::move(service)}});
}

/// Few sockets for each worker, and time enough to wait for one.
inline Limits few_sockets(std::uint32_t sockets, std::uint32_t queue = 256) {
  Limits limits;
  limits.max_sockets = sockets;
  limits.queue = queue;
  limits.queue_grows = false;
  limits.queue_timeout = Duration{8'000};
  return limits;
}

struct RigOptions {
  std::uint32_t shards = 1;
  bool own_slots = false;  // each shard is a router of its own
  std::size_t budget = 16 << 20;
  RouterSettings settings{};
  int access_log = -1;                              // taken over; of the first shard
  bool proxied = false;                             // connections begin with a PROXY header
  std::shared_ptr<const tls::Policies> policies{};  // connections begin with a TLS handshake; null: they do not
  int send_buffer = 0;                              // of the kernel, for each client; 0: its default
  Duration rate_window = policy::kRateWindow;
  std::function<std::unique_ptr<engine::Engine>(engine::BufferPool&)> make_engine = engine::make_engine;
};

/// A client that is at its limit of connections in every Rig.
inline constexpr std::string_view kCrowdedClient = "192.0.2.99";

class Rig {
 public:
  explicit Rig(const Plan& plan, RigOptions options = {})
      : memory(options.budget, [this] { relieve(); }), own_slots_(options.own_slots) {
    for (std::uint32_t i = 0; i < options.shards; ++i) {
      const proxy::ShardId shard_id{own_slots_ ? i : 0, own_slots_ ? 0 : i};
      UniqueFd log(i == 0 ? options.access_log : -1);
      shards_.push_back(
          std::make_unique<proxy::Shard>(*hosts_.emplace_back(std::make_unique<Host>(*this, i)), *segment,
                                         proxy::ShardOptions{shard_id, memory, options.settings, std::move(log), 7 + i,
                                                             options.rate_window, options.make_engine}));
      listeners_.emplace_back(SOCK_NONBLOCK).listen();
      if (const int bytes = options.send_buffer; bytes > 0)  // accepted sockets inherit it
        (void)setsockopt(listeners_.back().fd(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    }
    for (const auto& shard : shards_) threads_.emplace_back([&engine = shard->engine()] { engine.run(); });
    apply(plan);
    for (std::uint32_t i = 0; i < options.shards; ++i) {
      const std::vector<int> listeners{listeners_[i].fd()}, none;
      on(
          [&](proxy::Shard& shard) {
            shard.secure(options.policies);
            if (options.policies) return shard.listen(none, none, listeners);
            options.proxied ? shard.listen(none, listeners) : shard.listen(listeners);
          },
          i);
    }
  }
  ~Rig() {
    ends_ = true;
    for (const auto& shard : shards_) shard->engine().stop();
    for (std::thread& thread : threads_) thread.join();
  }

  /// Runs `task(shard)` on the shard's thread and waits for it.
  template <typename Task>
  std::invoke_result_t<Task, proxy::Shard&> on(Task task, std::uint32_t index = 0) {
    std::packaged_task<std::invoke_result_t<Task, proxy::Shard&>()> packaged([&] { return task(*shards_[index]); });
    auto result = packaged.get_future();
    shards_[index]->post([&] { packaged(); });
    return result.get();
  }
  void apply(const Plan& plan) {
    for (std::uint32_t i = 0; i < shards_.size(); ++i) {
      on([table = table_of(plan)](proxy::Shard& shard) { shard.apply(table); }, i);
    }
  }
  Wire dial(std::uint32_t shard = 0, int receive_buffer = 0) { return test::dial(address(shard), receive_buffer); }
  /// One request on a connection of its own.
  Message get(std::string_view path = "/", std::string_view fields = "") {
    Wire client = dial();
    client.write(request_for(path, fields));
    return client.read_answer();
  }
  static std::string request_for(std::string_view path = "/", std::string_view fields = "") {
    return "GET " + std::string(path) + " HTTP/1.1\r\nHost: test\r\n" + std::string(fields) + "\r\n";
  }
  const Address& address(std::uint32_t shard = 0) const { return listeners_[shard].address(); }

  std::uint32_t sockets(std::uint32_t cell) const { return segment->workers[cell].sockets.total(); }
  std::uint32_t tunnels(std::uint32_t cell) const { return segment->workers[cell].tunnels.total(); }
  std::uint32_t waiting(std::uint32_t row = 0) const { return segment->versions[row].waiting.total(); }
  segment::Totals totals(std::uint32_t row = 0) const { return segment::sum(*segment, row); }
  std::uint64_t reason(segment::Reason which, std::uint32_t row = 0) const {
    return totals(row).reasons[static_cast<std::size_t>(which)];
  }
  std::size_t idle_sockets(std::uint32_t shard = 0) {
    return on([](proxy::Shard& one) { return one.backends().idle_sockets(); }, shard);
  }
  int closed_clients() const { return closed_; }
  std::string last_closed() const {
    const std::lock_guard lock(mutex_);
    return last_closed_;
  }
  std::array<std::atomic<int>, static_cast<std::size_t>(tls::HandshakeFailure::count)> handshake_failures{};
  int drained_shards() const { return drained_; }
  int handed_over() const { return handed_over_; }
  /// Times that a thread had no socket left to a worker that left the table.
  int unused() const { return unused_; }
  std::map<std::uint64_t, std::pair<bool, std::string>> probes() const {
    const std::lock_guard lock(mutex_);
    return probes_;
  }
  std::optional<PeerOwner> peer_of(std::uint64_t probe) const {
    const std::lock_guard lock(mutex_);
    return peers_.at(probe);
  }
  /// Reported strangers at addresses of workers, with the generation of the worker.
  std::vector<std::pair<std::uint64_t, PeerOwner>> strangers() const {
    const std::lock_guard lock(mutex_);
    return strangers_;
  }

  /// Reported peers that are not trusted but send fields of a proxy.
  std::vector<std::string> untrusted_proxies() const {
    const std::lock_guard lock(mutex_);
    return proxies_;
  }

  segment::Segment segment = segment::Segment::create();
  engine::MemoryBudget memory;

 private:
  void relieve() {
    for (const auto& shard : shards_) {
      if (!ends_) shard->post([&one = *shard] { one.relieve(); });
    }
  }

  // Acts as the router of the shards, but every connection stays where it was accepted.
  struct Host final : proxy::ShardHost {
    Rig& rig;
    std::uint32_t index;
    Host(Rig& owner, std::uint32_t shard) : rig(owner), index(shard) {}

    void hand_over(std::uint32_t thread, int fd, std::uint32_t row, std::uint32_t cell,
                   std::uint64_t generation) override {
      ++rig.handed_over_;
      auto& shard = *rig.shards_[thread];
      shard.post([=, &shard] { shard.backends().adopt(fd, row, cell, generation); });
    }
    void wake(std::uint32_t thread, std::uint32_t row) override {
      auto& shard = *rig.shards_[thread];
      shard.post([=, &shard] { shard.backends().advance(shard.backends().version(row)); });
    }
    std::uint32_t threads() const override {
      return rig.own_slots_ ? 1 : static_cast<std::uint32_t>(rig.shards_.size());
    }
    void ask(std::uint32_t thread, std::uint32_t from, std::uint32_t row) override {
      auto& shard = *rig.shards_[thread];
      shard.post([=, &shard] { shard.backends().offer(from, row); });
    }
    void ask(std::uint32_t thread, std::uint32_t from, std::uint32_t row, std::uint32_t cell,
             std::uint64_t generation) override {
      auto& shard = *rig.shards_[thread];
      shard.post([=, &shard] { shard.backends().offer(from, row, cell, generation); });
    }
    void wake_routers() override {
      if (!rig.own_slots_) return;
      for (std::uint32_t i = 0; i < rig.shards_.size(); ++i) {
        auto& shard = *rig.shards_[i];
        if (i != index) shard.post([&shard] { shard.backends().serve_waiters(); });
      }
    }
    void met_untrusted_proxy(const Address& peer) override {
      const std::lock_guard lock(rig.mutex_);
      rig.proxies_.push_back(peer.kind == Address::Kind::unix_path ? "unix" : peer.ip_text());
    }
    void worker_unused() override { ++rig.unused_; }
    void assign(std::uint32_t, int fd, const Address& peer, proxy::Opening opening) override {
      rig.shards_[index]->open(fd, peer, opening);
    }
    bool claim(const Address&, const Address& client) override { return client.ip_text() != kCrowdedClient; }
    void closed(std::uint32_t, const Address& peer) override {
      const std::lock_guard lock(rig.mutex_);
      rig.last_closed_ = peer.text();
      ++rig.closed_;
    }
    void probed(std::uint64_t id, proxy::ProbeAnswer answer) override {
      const std::lock_guard lock(rig.mutex_);
      rig.probes_[id] = {answer.ok, std::move(answer.detail)};
      rig.peers_[id] = answer.peer;
    }
    void met_stranger(std::uint32_t, std::uint64_t generation, const PeerOwner& found) override {
      const std::lock_guard lock(rig.mutex_);
      rig.strangers_.emplace_back(generation, found);
    }
    void http2_failed(const Address&, const char*) override {}
    void handshake_failed(const Address&, tls::HandshakeFailure failure) override {
      ++rig.handshake_failures[static_cast<std::size_t>(failure)];
    }
    void drained(std::uint32_t) override { ++rig.drained_; }
  };

  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::unique_ptr<proxy::Shard>> shards_;
  std::vector<std::thread> threads_;
  std::vector<Listener> listeners_;
  std::atomic<bool> ends_{false};
  bool own_slots_ = false;
  std::atomic<int> closed_{0}, drained_{0}, handed_over_{0}, unused_{0};
  mutable std::mutex mutex_;
  std::string last_closed_;
  std::map<std::uint64_t, std::pair<bool, std::string>> probes_;
  std::map<std::uint64_t, std::optional<PeerOwner>> peers_;
  std::vector<std::pair<std::uint64_t, PeerOwner>> strangers_;
  std::vector<std::string> proxies_;
};

/// Sends a request on a connection of its own.
inline Message ask(Rig& rig, std::string_view request, bool head_request = false) {
  Wire client = rig.dial();
  client.write(request);
  return client.read_answer(head_request);
}

inline void check_closed(Wire& client) {
  CHECK(client.read_rest().empty());
  CHECK(client.end() == Wire::End::closed);
}

}  // namespace gray::test
