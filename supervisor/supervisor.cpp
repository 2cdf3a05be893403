#include "supervisor/supervisor.hpp"

#include <sys/prctl.h>

#include <algorithm>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <stdexcept>
#include <thread>

#include "config/base/archive.hpp"
#include "config/base/log.hpp"
#include "supervisor/fleet.hpp"
#include "supervisor/kernel/process_table.hpp"
#include "supervisor/news.hpp"
#include "supervisor/start_places.hpp"
#include "supervisor/worker_memory.hpp"

// The supervisor works in turns: a turn takes the events of the workers, handles expired deadlines, polls what is due,
// executes the decisions of the groups, and arms one timer for the next turn. Public functions only change the groups
// and schedule a turn, so the host is never called from within one of its own calls.
//
// A turn looks only at versions and workers that were touched or are due, however many there are.
namespace gray::supervisor {
namespace {

constexpr Duration kReapInterval{1'000};
constexpr int kStarts = 8;  // in a turn, so that other events need not wait for more

}  // namespace

struct Supervisor::Impl {
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
  void end(const std::string& service, const std::string& name, WorkerEvent how);
  void schedule();
  void turn();
  void serve(Version& version, TimePoint now);
  void deliver(Version& version, TimePoint now);
  void poll(Version& version, TimePoint now);
  void weigh(TimePoint now);
  void obey(Version& version, TimePoint now);
  void start(Version& version, unsigned worker_slot, TimePoint now);
  void start_waiting(TimePoint now);
  void settle(Version& version, unsigned worker_slot);
  void look_again(TimePoint now);
  void arm();
  void reap_later();
  void set_probing(bool possible);
  bool carries(const Version& version) const { return host.carries_traffic(version.service, version.name); }

  asio::io_context& io;
  Host& host;
  CgroupTree cgroups;
  WorkerContext context;
  News news;
  WorkerMemory memory;
  Fleet fleet{context, [this] { schedule(); }};
  StartPlaces places{std::thread::hardware_concurrency()};
  std::vector<std::pair<Version*, unsigned>> to_weigh;  // in this turn
  asio::steady_timer timer, reaper;
  std::optional<TimePoint> armed;  // the timer
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
  fleet.archive(fields);
}

void Supervisor::archive(Save& to) {
  if (impl_->stopped) throw std::logic_error("a supervisor that is stopping its workers cannot be handed over");
  impl_->archive(to);
}

void Supervisor::archive(Load& from) {
  impl_->archive(from);
  for (const auto& [key, version] : impl_->fleet.versions()) version->occupy(impl_->places);
  impl_->changed = true;
  impl_->reap_later();
  impl_->schedule();
}

void Supervisor::admit_routers() {
  for (const auto& [key, version] : impl_->fleet.versions())
    for (const auto& [slot, worker] : version->workers) worker->admit_routers();
}

void Supervisor::apply(const std::string& service, const VersionSettings& settings) {
  Version& version = impl_->fleet.get(service, settings.name, impl_->probing, Clock::now());
  version.forget = version.failed = false;
  version.failure.clear();
  version.late_stops = {};
  version.group.apply(settings, Clock::now());
  version.retune(Clock::now());
  impl_->fleet.touch(version);
}

unsigned Supervisor::restart(const std::string& service, const std::string& version) {
  Version* const found = impl_->fleet.find(service, version);
  if (!found) return 0;
  found->failed = false;
  found->late_stops = {};
  found->group.restart(Clock::now());
  impl_->fleet.touch(*found);
  return found->group.replacement() ? found->group.replacement()->number : 0;
}

void Supervisor::drain(const std::string& service, const std::string& version) {
  impl_->end(service, version, WorkerEvent::drain);
}

void Supervisor::stop(const std::string& service, const std::string& version) {
  impl_->end(service, version, WorkerEvent::dismiss);
}

void Supervisor::remove(const std::string& service, const std::string& version) {
  if (Version* const found = impl_->fleet.find(service, version)) found->forget = true;
  drain(service, version);
}

void Supervisor::probed(std::uint64_t id, bool ok, const std::string& answer, const std::optional<PeerOwner>& peer) {
  const auto found = impl_->context.asked.find(id);
  if (found == impl_->context.asked.end()) return;
  const WorkerPlace place = found->second;
  place.version->probed(place.worker_slot, id, {ok, answer, peer}, Clock::now());
}

void Supervisor::met_stranger(std::uint64_t generation, const PeerOwner& found) {
  const auto process = impl_->context.processes.find(generation);
  if (process == impl_->context.processes.end()) return;
  const WorkerPlace place = process->second;
  place.version->met_stranger(place.worker_slot, found, Clock::now());
}

void Supervisor::sockets_closed() { impl_->look_again(Clock::now()); }

/// Polls the workers that wait for an event, which may have happened.
void Supervisor::Impl::look_again(TimePoint now) {
  for (const auto& [key, version] : fleet.versions())
    if (version->look_again(now)) fleet.touch(*version);
}

void Supervisor::probing_possible(bool possible) { impl_->set_probing(possible); }

void Supervisor::stop_all(std::function<void()> done) {
  for (auto& [key, version] : impl_->fleet.versions()) version->group.stop(WorkerEvent::stop, Clock::now());
  impl_->stopped = std::move(done);
  impl_->fleet.touch_all();
}

std::vector<VersionView> Supervisor::view() const {
  std::vector<VersionView> views;
  for (const auto& [key, version] : impl_->fleet.versions()) views.push_back(version->view(impl_->carries(*version)));
  return views;
}

std::vector<std::string> Supervisor::output(const std::string& worker_id) const {
  for (const Worker* worker : impl_->fleet.workers())
    if (worker->id() == worker_id) return worker->output().last(OutputTail::kLines);
  return {};
}

std::uint64_t Supervisor::resident_bytes(pid_t leader) const {
  return impl_->memory.of(leader, Clock::now(), [this] { return measure(impl_->fleet.workers()); }).resident;
}

std::uint64_t Supervisor::memory_bytes(pid_t leader) const {
  return impl_->memory.of(leader, Clock::now(), [this] { return measure(impl_->fleet.workers()); }).group;
}

std::vector<WorkerOutput> Supervisor::outputs(std::uint64_t sequence) const {
  std::vector<WorkerOutput> outputs;
  for (const auto& [key, version] : impl_->fleet.versions()) version->add_outputs(sequence, outputs);
  return outputs;
}

const std::string& Supervisor::cgroup_path() const { return impl_->cgroups.path(); }

void Supervisor::Impl::end(const std::string& service, const std::string& name, WorkerEvent how) {
  Version* const found = fleet.find(service, name);
  if (found == nullptr) return;
  found->late_stops = {};
  found->group.stop(how, Clock::now());
  fleet.touch(*found);
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
  context.scan.begin_turn();
  if (!std::exchange(took_over, true)) look_again(now);
  const std::vector<Version*> all = fleet.take(now);
  for (Version* version : all) serve(*version, now);
  weigh(now);
  context.scan.end_turn();
  for (Version* version : all) fleet.served(*version);
  start_waiting(now);
  if (stopped && fleet.empty()) asio::post(io, std::exchange(stopped, nullptr));
  arm();
  if (std::exchange(changed, false)) host.workers_changed();
}

void Supervisor::Impl::serve(Version& version, TimePoint now) {
  obey(version, now);
  deliver(version, now);
  version.group.expire(carries(version), now);
  obey(version, now);
  poll(version, now);
  news.of_version(version);
  version.clean_up(kRetired);
}

void Supervisor::Impl::deliver(Version& version, TimePoint now) {
  for (const unsigned worker_slot : std::exchange(version.touched, {})) {
    const auto worker = version.workers.find(worker_slot);
    if (worker == version.workers.end()) continue;
    for (const Event& event : worker->second->take_events()) {
      version.group.on(worker_slot, event, carries(version), now);
      if (event.kind == WorkerEvent::exited) news.of_failure(version, worker_slot);
      obey(version, now);
    }
    settle(version, worker_slot);
  }
}

/// After an event of a worker: when it is due, and whether most of its start is over.
void Supervisor::Impl::settle(Version& version, unsigned worker_slot) {
  version.note(worker_slot);
  const auto found = version.find(worker_slot);
  if (found && found.state == WorkerState::spawned && !found.worker->answers()) return;
  if (const auto worker = version.workers.find(worker_slot); worker != version.workers.end())
    places.release(worker->second->generation());
}

void Supervisor::Impl::poll(Version& version, TimePoint now) {
  for (const unsigned worker_slot : version.due.due(now)) {
    if (const auto found = version.find(worker_slot)) {
      if (const auto asked = found.worker->poll(found.state, now)) set_probing(*asked);
      if (found.worker->to_weigh(found.state, now)) to_weigh.emplace_back(&version, worker_slot);
    }
    version.note(worker_slot);
  }
}

/// One look at the processes of the host serves all that are due.
void Supervisor::Impl::weigh(TimePoint now) {
  if (to_weigh.empty()) return;
  std::vector<const Worker*> workers;
  const auto all = std::exchange(to_weigh, {});
  for (const auto& [version, worker_slot] : all)
    if (const auto found = version->find(worker_slot)) workers.push_back(found.worker);
  const auto bytes = resident_bytes_of(workers);
  for (const auto& [version, worker_slot] : all) {
    const auto found = version->find(worker_slot);
    const auto used = found ? bytes.find(found.worker->pid()) : bytes.end();
    if (used == bytes.end() || !version->group.weighed(worker_slot, used->second, now)) continue;
    news.of_memory(*version, *found.worker, used->second);
    fleet.touch(*version);
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
  if (found == version.group.slots().end()) return;
  Worker& worker = version.worker(worker_slot);
  if (worker.start(*found->second.settings, now)) {
    places.occupy(worker.generation(), now);
  } else {
    version.group.exhausted(worker_slot, now);
    news.of_failure(version, worker_slot);
  }
  version.note(worker_slot);
}

// Versions that carry traffic go first.
void Supervisor::Impl::start_waiting(TimePoint now) {
  if (!fleet.any_startable()) return;
  if (places.look_due(now)) places.look(cpu_time_of_others(), now);
  int left = kStarts;
  for (const bool with_traffic : {true, false}) {
    if (!places.free(now)) return;
    for (Version* version : fleet.startable()) {
      if (!places.free(now)) return;
      if (carries(*version) != with_traffic) continue;
      for (auto worker_slot = version->group.startable(); worker_slot && places.free(now);
           worker_slot = version->group.startable()) {
        if (left-- == 0) break;
        version->group.on(*worker_slot, {.kind = WorkerEvent::start}, with_traffic, now);
        obey(*version, now);
      }
      fleet.served(*version);
      if (left < 0) return schedule();
    }
  }
}

void Supervisor::Impl::arm() {
  auto next = fleet.next();
  const auto place = fleet.any_startable() ? places.next() : std::nullopt;
  if (place && (!next || *place < *next)) next = place;
  if (!next || next == armed) return;
  armed = next;
  timer.expires_at(*next);
  timer.async_wait([this, token = std::weak_ptr<int>(alive)](std::error_code error) {
    if (error || token.expired()) return;
    armed.reset();
    schedule();
  });
}

void Supervisor::Impl::reap_later() {
  reaper.expires_at(next_tick(Clock::now(), kReapInterval));
  reaper.async_wait([this, token = std::weak_ptr<int>(alive)](std::error_code error) {
    if (error || token.expired()) return;
    reap_strays([this] {
      std::vector<pid_t> leaders;
      for (const Worker* worker : fleet.workers()) leaders.push_back(worker->pid());
      return leaders;
    });
    reap_later();
  });
}

void Supervisor::Impl::set_probing(bool possible) {
  if (possible == probing) return;
  probing = possible;
  for (auto& [key, version] : fleet.versions()) {
    version->group.probing(possible, Clock::now());
    for (auto& [number, worker] : version->workers) worker->forget_probe();
  }
  fleet.touch_all();
}

}  // namespace gray::supervisor
