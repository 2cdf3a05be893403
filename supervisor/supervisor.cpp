#include "supervisor/supervisor.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <map>
#include <random>
#include <stdexcept>
#include <thread>

#include "config/base/archive.hpp"
#include "config/base/log.hpp"
#include "supervisor/news.hpp"
#include "supervisor/process/process_table.hpp"
#include "supervisor/start_places.hpp"
#include "supervisor/version.hpp"
#include "supervisor/worker_memory.hpp"

// The supervisor works in turns: a turn takes the events of the workers, handles expired deadlines, polls what is due,
// executes the decisions of the groups, and arms one timer for the next turn. Public functions only change the groups
// and schedule a turn, so the host is never called from within one of its own calls.
namespace gray::supervisor {
namespace {

constexpr Duration kReapInterval{1'000};

}  // namespace

struct Supervisor::Impl {
  using Key = std::pair<std::string, std::string>;

  Impl(asio::io_context& io_context, Host& the_host, std::string instance, std::string state_dir)
      : io(io_context),
        host(the_host),
        context{io_context, the_host, cgroups, std::move(instance), 0, 0, 0, std::move(state_dir)},
        news(the_host),
        timer(io_context),
        reaper(io_context) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (!context.kernel.knows_tcp()) log(LogLevel::warn, std::string(PeerOwners::kUnknown));
    reap_later();
  }
  Impl(asio::io_context& io_context, Host& the_host, Restored)
      : io(io_context),
        host(the_host),
        cgroups(kRestored),
        context{io_context, the_host, cgroups, {}, 0, 0, 0, {}, WorkerFolders(kRestored), PeerOwners(kRestored)},
        news(the_host),
        timer(io_context),
        reaper(io_context),
        took_over(false) {}  // this process is a subreaper already

  template <class Io>
  void archive(Io& io);
  std::unique_ptr<Version> make_version(const Key& key) {
    return std::make_unique<Version>(context, [this] { schedule(); }, key.first, key.second, seeds());
  }
  Version& version(const std::string& service, const std::string& name);
  Version* find(const std::string& service, const std::string& name);
  std::vector<const Worker*> all_workers() const;
  void end(const std::string& service, const std::string& name, WorkerEvent how);
  void schedule();
  void turn();
  void serve(Version& version, TimePoint now);
  void deliver(Version& version, TimePoint now);
  void poll(Version& version, TimePoint now);
  void obey(Version& version, TimePoint now);
  void start(Version& version, unsigned worker_slot, TimePoint now);
  void start_waiting(TimePoint now);
  StartPlaces start_places(TimePoint now) const;
  void clean_up();
  bool look_again(TimePoint now);
  void arm(TimePoint now);
  void reap_later();
  void set_probing(bool possible);
  bool carries(const Version& version) const { return host.carries_traffic(version.service, version.name); }

  asio::io_context& io;
  Host& host;
  CgroupTree cgroups;
  WorkerContext context;
  News news;
  WorkerMemory memory;
  std::map<Key, std::unique_ptr<Version>> versions;
  asio::steady_timer timer, reaper;
  std::random_device seeds;
  std::function<void()> stopped;
  bool scheduled = false;
  bool changed = false;
  bool probing = true;
  bool took_over = true;                                  // a resumed supervisor: from its first turn on
  std::shared_ptr<int> alive = std::make_shared<int>(0);  // handlers hold it weakly: they may outlive this
};

Supervisor::Supervisor(asio::io_context& io, Host& host, std::string instance, std::string state_dir)
    : impl_(std::make_unique<Impl>(io, host, std::move(instance), std::move(state_dir))) {}

Supervisor::Supervisor(asio::io_context& io, Host& host, Restored)
    : impl_(std::make_unique<Impl>(io, host, kRestored)) {}

Supervisor::~Supervisor() {
  static auto& abandoned = *new std::vector<std::unique_ptr<Impl>>;
  if (!impl_->took_over) abandoned.push_back(std::move(impl_));
}

template <class Io>
void Supervisor::Impl::archive(Io& fields) {
  fields("cgroups", cgroups);
  fields("instance", context.instance);
  fields("folders", context.folders);
  fields("kernel", context.kernel);
  fields("generation", context.generation);
  fields("probe", context.probe);
  fields("output", context.output);
  fields("probing", probing);
  fields("versions", versions, [this](const Key& key) { return make_version(key); });
}

void Supervisor::archive(Save& to) {
  if (impl_->stopped) throw std::logic_error("a supervisor that is stopping its workers cannot be handed over");
  impl_->archive(to);
}

void Supervisor::archive(Load& from) {
  impl_->archive(from);
  impl_->changed = true;
  impl_->reap_later();
  impl_->schedule();
}

void Supervisor::admit_routers() {
  for (const auto& [key, version] : impl_->versions)
    for (const auto& [slot, worker] : version->workers) worker->admit_routers();
}

void Supervisor::apply(const std::string& service, const VersionSettings& settings) {
  Version& version = impl_->version(service, settings.name);
  version.forget = version.failed = false;
  version.failure.clear();
  version.late_stops = {};
  version.group.apply(settings, Clock::now());
  version.retune(Clock::now());
  impl_->schedule();
}

unsigned Supervisor::restart(const std::string& service, const std::string& version) {
  Version* const found = impl_->find(service, version);
  if (!found) return 0;
  found->failed = false;
  found->late_stops = {};
  found->group.restart(Clock::now());
  impl_->schedule();
  return found->group.replacement() ? found->group.replacement()->number : 0;
}

void Supervisor::drain(const std::string& service, const std::string& version) {
  impl_->end(service, version, WorkerEvent::drain);
}

void Supervisor::stop(const std::string& service, const std::string& version) {
  impl_->end(service, version, WorkerEvent::dismiss);
}

void Supervisor::remove(const std::string& service, const std::string& version) {
  if (Version* const found = impl_->find(service, version)) found->forget = true;
  drain(service, version);
}

void Supervisor::probed(std::uint64_t id, bool ok, const std::string& answer, const std::optional<PeerOwner>& peer) {
  const TimePoint now = Clock::now();
  for (auto& [key, version] : impl_->versions)
    if (version->probed(id, {ok, answer, peer}, now)) return;
}

void Supervisor::met_stranger(std::uint64_t generation, const PeerOwner& found) {
  for (auto& [key, version] : impl_->versions) version->met_stranger(generation, found, Clock::now());
}

void Supervisor::sockets_closed() {
  if (impl_->look_again(Clock::now())) impl_->schedule();
}

/// Polls the workers that wait for an event, which may have happened; false: no worker waits.
bool Supervisor::Impl::look_again(TimePoint now) {
  bool any = false;
  for (const auto& [key, version] : versions) any = version->look_again(now) || any;
  return any;
}

void Supervisor::probing_possible(bool possible) {
  impl_->set_probing(possible);
  impl_->schedule();
}

void Supervisor::stop_all(std::function<void()> done) {
  for (auto& [key, version] : impl_->versions) version->group.stop(WorkerEvent::stop, Clock::now());
  impl_->stopped = std::move(done);
  impl_->schedule();
}

std::vector<VersionView> Supervisor::view() const {
  std::vector<VersionView> views;
  for (const auto& [key, version] : impl_->versions) views.push_back(version->view(impl_->carries(*version)));
  return views;
}

std::vector<std::string> Supervisor::output(const std::string& worker_id) const {
  for (const Worker* worker : impl_->all_workers())
    if (worker->id() == worker_id) return worker->output().last(OutputTail::kLines);
  return {};
}

std::uint64_t Supervisor::resident_bytes(pid_t leader) const {
  return impl_->memory.of(leader, Clock::now(), [this] { return measure(impl_->all_workers()); }).resident;
}

std::uint64_t Supervisor::memory_bytes(pid_t leader) const {
  return impl_->memory.of(leader, Clock::now(), [this] { return measure(impl_->all_workers()); }).group;
}

std::vector<WorkerOutput> Supervisor::outputs(std::uint64_t sequence) const {
  std::vector<WorkerOutput> outputs;
  for (const auto& [key, version] : impl_->versions) version->add_outputs(sequence, outputs);
  return outputs;
}

const std::string& Supervisor::cgroup_path() const { return impl_->cgroups.path(); }

Version& Supervisor::Impl::version(const std::string& service, const std::string& name) {
  auto& version = versions[{service, name}];
  if (!version) {
    version = make_version({service, name});
    version->group.probing(probing, Clock::now());
  }
  return *version;
}

Version* Supervisor::Impl::find(const std::string& service, const std::string& name) {
  const auto found = versions.find({service, name});
  return found == versions.end() ? nullptr : found->second.get();
}

std::vector<const Worker*> Supervisor::Impl::all_workers() const {
  std::vector<const Worker*> all;
  for (const auto& [key, version] : versions)
    for (const auto& [number, worker] : version->workers) all.push_back(worker.get());
  return all;
}

void Supervisor::Impl::end(const std::string& service, const std::string& name, WorkerEvent how) {
  if (Version* const found = find(service, name)) {
    found->late_stops = {};
    found->group.stop(how, Clock::now());
  }
  schedule();
}

void Supervisor::Impl::schedule() {
  if (std::exchange(scheduled, true)) return;
  asio::post(io, [this, token = std::weak_ptr<int>(alive)] {
    if (!token.expired()) turn();
  });
}

void Supervisor::Impl::turn() {
  scheduled = false;
  const TimePoint now = Clock::now();
  if (!std::exchange(took_over, true)) look_again(now);
  for (auto& [key, version] : versions) serve(*version, now);
  start_waiting(now);
  for (auto& [key, version] : versions) news.of_version(*version);
  clean_up();
  arm(now);
  if (std::exchange(changed, false)) host.workers_changed();
}

void Supervisor::Impl::serve(Version& version, TimePoint now) {
  obey(version, now);
  deliver(version, now);
  version.group.expire(carries(version), now);
  obey(version, now);
  poll(version, now);
}

void Supervisor::Impl::deliver(Version& version, TimePoint now) {
  for (auto& [number, worker] : version.workers) {
    if (!worker->has_events()) continue;  // an exchanged deque is allocated anew, and this is asked of all workers
    for (const Event& event : worker->take_events()) {
      version.group.on(number, event, carries(version), now);
      if (event.kind == WorkerEvent::exited) news.of_failure(version, number);
      obey(version, now);
    }
  }
}

void Supervisor::Impl::poll(Version& version, TimePoint now) {
  for (const auto& [number, slot] : version.group.slots()) {
    const auto worker = version.workers.find(number);
    if (worker == version.workers.end()) continue;
    const auto asked = worker->second->poll(slot.machine.state(), now);
    if (asked) set_probing(*asked);
    const auto bytes = worker->second->weigh(slot.machine.state(), now);
    if (bytes && version.group.weighed(number, *bytes, now)) news.of_memory(version, *worker->second, *bytes);
  }
}

// Executing commands may cause new ones, so this repeats until none is left.
void Supervisor::Impl::obey(Version& version, TimePoint now) {
  for (auto commands = version.group.take_commands(); !commands.empty(); commands = version.group.take_commands())
    for (const auto& [worker_slot, actions] : commands) {
      changed = changed || actions.has(Action::changed);
      version.execute(worker_slot, actions, now);
      if (actions.has(Action::spawn)) start(version, worker_slot, now);
    }
  news.of_workers(version, now);
}

void Supervisor::Impl::start(Version& version, unsigned worker_slot, TimePoint now) {
  const auto found = version.group.slots().find(worker_slot);
  if (found == version.group.slots().end() || version.worker(worker_slot).start(*found->second.settings, now)) return;
  version.group.exhausted(worker_slot, now);
  news.of_failure(version, worker_slot);
}

StartPlaces Supervisor::Impl::start_places(TimePoint now) const {
  StartPlaces places(std::thread::hardware_concurrency());
  for (const auto& [key, version] : versions) version->occupy(places, now);
  return places;
}

// Versions that carry traffic go first.
void Supervisor::Impl::start_waiting(TimePoint now) {
  for (const bool with_traffic : {true, false})
    for (auto& [key, version] : versions) {
      if (carries(*version) != with_traffic) continue;
      for (auto worker_slot = version->group.startable(); worker_slot && start_places(now).free();
           worker_slot = version->group.startable()) {
        version->group.on(*worker_slot, {.kind = WorkerEvent::start}, with_traffic, now);
        obey(*version, now);
      }
    }
}

void Supervisor::Impl::clean_up() {
  bool empty = true;
  for (auto it = versions.begin(); it != versions.end();) {
    Version& version = *it->second;
    std::erase_if(version.workers, [&](const auto& entry) {
      if (version.group.slots().contains(entry.first)) return false;
      version.retired.emplace_back(entry.second->id(), entry.second->output());
      return true;
    });
    while (version.retired.size() > kRetired) version.retired.pop_front();
    empty = empty && version.group.empty();
    it = version.forget && version.group.empty() ? versions.erase(it) : std::next(it);
  }
  if (empty && stopped) asio::post(io, std::exchange(stopped, nullptr));
}

void Supervisor::Impl::arm(TimePoint now) {
  std::optional<TimePoint> next;
  const auto consider = [&](std::optional<TimePoint> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  for (const auto& [key, version] : versions) {
    consider(version->next_turn());
    if (version->group.startable()) consider(start_places(now).next_free());
  }
  if (!next) return;
  timer.expires_at(*next);
  timer.async_wait([this, token = std::weak_ptr<int>(alive)](std::error_code error) {
    if (!error && !token.expired()) schedule();
  });
}

void Supervisor::Impl::reap_later() {
  reaper.expires_after(kReapInterval);
  reaper.async_wait([this, token = std::weak_ptr<int>(alive)](std::error_code error) {
    if (error || token.expired()) return;
    std::vector<pid_t> leaders;
    for (const Worker* worker : all_workers()) leaders.push_back(worker->pid());
    reap_strays(leaders);
    reap_later();
  });
}

void Supervisor::Impl::set_probing(bool possible) {
  if (possible == probing) return;
  probing = possible;
  for (auto& [key, version] : versions) {
    version->group.probing(possible, Clock::now());
    for (auto& [number, worker] : version->workers) worker->forget_probe();
  }
}

}  // namespace gray::supervisor
