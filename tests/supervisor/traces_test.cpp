// Random lives of a version in a random world: processes start, report, hang, end and outlive their leader at random,
// commands come in any order, clocks jump over every deadline. After each step the invariants of worker_machine.hpp and
// version_group.hpp hold, and at the end everything that was stopped has ended.
//
// GRAY_TRACES is the number of traces (100,000), GRAY_STEPS their maximum length, GRAY_SEED the first seed; a failed
// trace can be repeated by its own seed.
#include <doctest/doctest.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "supervisor/version_group.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace std::chrono_literals;
using E = WorkerEvent;
using S = WorkerState;

namespace {

constexpr std::uint64_t kDefaultTraces = 100'000;
constexpr std::uint64_t kDefaultSteps = 12;  // at most, of one trace
constexpr unsigned kLastSteps = 400;         // of a cooperative world, until nothing is left

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

const std::array<VersionSettings, 4>& some_settings() {
  static const std::array<VersionSettings, 4> kSettings = [] {
    std::array<VersionSettings, 4> result;
    for (std::size_t i = 0; i < result.size(); ++i) {
      result[i].name = "v1";
      result[i].command = {i % 2 == 0 ? "a" : "b"};
      result[i].instances = i < 2 ? 2 : 3;
      result[i].memory = 1'000;
      result[i].min_healthy = i == 3 ? Duration{5'000} : Duration{0};  // a proof takes more steps than most traces have
    }
    return result;
  }();
  return kSettings;
}

/// Small and fast to seed, unlike std::mt19937_64, because each trace needs one (splitmix64).
class Chance {
 public:
  explicit Chance(std::uint64_t seed) : state_(seed) {}
  std::uint64_t operator()() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

 private:
  std::uint64_t state_;
};

class Trace {
 public:
  Trace(std::uint64_t seed, unsigned most_steps) : random_(seed), most_steps_(most_steps), group_(seed) {}

  /// Empty, or the violated invariant.
  std::string run() {
    apply();
    const unsigned steps = 1 + pick(most_steps_);
    for (unsigned i = 0; i < steps && violation_.empty(); ++i) {
      step();
      observe();
    }
    if (violation_.empty()) finish();
    return violation_;
  }

 private:
  /// A process of the world, by its slot.
  struct Process {
    bool leader = true;      // alive
    bool leftovers = false;  // a different process of it is alive
    bool killed = false;
  };

  unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }
  bool chance(unsigned percent) { return pick(100) < percent; }
  void violated(const std::string& what) {
    if (violation_.empty()) violation_ = what + " after " + last_;
  }

  void apply() {
    const VersionSettings& settings = some_settings()[pick(4)];
    if (!group_.replacing() && !undone_) counts_.clear();
    if (instances_ > 0) counts_.insert(instances_);
    instances_ = settings.instances;
    counts_.insert(instances_);
    undone_ = false;
    stopped_ = false;
    last_ = "apply";
    group_.apply(settings, now_);
    obey();
  }

  void stop() {
    constexpr std::array<E, 3> kHow = {E::drain, E::dismiss, E::stop};
    const E how = kHow[pick(3)];
    last_ = std::string(name(how));
    stopped_ = true;
    group_.stop(how, now_);
    obey();
    for (const auto& [number, slot] : group_.slots())
      if (!slot.machine.alive() || slot.machine.state() == S::spawned || slot.machine.state() == S::ready)
        violated("a stopped version still has a worker that is " + std::string(name(slot.machine.state())));
  }

  void step() {
    const unsigned dice = pick(100);
    if (dice < 3) return apply();
    if (dice < 6) return restart();
    if (dice < 10) return stop();
    if (dice < 13) return toggle_probing();
    if (dice < 25) return pass_time();
    if (dice < 45) return start();
    if (dice < 48) traffic_ = !traffic_;
    if (dice < 52) return weigh();
    happen();
  }

  void restart() {
    last_ = "restart";
    group_.restart(now_);
    obey();
  }

  void weigh() {
    last_ = "weighed";
    group_.weighed(pick(5), 500 + pick(1'000), now_);
    obey();
  }

  void toggle_probing() {
    last_ = "probing";
    probing_ = !probing_;
    group_.probing(probing_, now_);
  }

  void pass_time() {
    last_ = "time";
    const auto next = group_.next_deadline();
    now_ = next && chance(70) ? std::max(now_, *next) : now_ + Duration(pick(120'000));
    group_.expire(traffic_, now_);
    obey();
  }

  void start() {
    const auto slot = group_.startable();
    if (!slot) return happen();
    send(*slot, {E::start});
  }

  /// An event of an uncooperative world, also for a missing slot.
  void happen() {
    const unsigned slot = pick(5);
    const auto process = processes_.find(slot);
    if (process == processes_.end()) return send(slot, {.kind = E::probe_ok});
    if (!process->second.leader) return settle(slot);
    constexpr std::array<E, 10> kEvents = {E::executed,    E::executed,     E::said_ready,   E::said_ready,
                                           E::probe_ok,    E::probe_ok,     E::probe_failed, E::extend,
                                           E::exec_failed, E::address_taken};
    switch (pick(4)) {
      case 0: return die(slot);
      case 1: return send(slot, {chance(50) ? E::unused : E::withdrawn});
      default:
        return send(slot, {.kind = kEvents[pick(10)],
                           .status = chance(50) ? ENOENT : EAGAIN,
                           .delay = Duration(pick(100'000)),
                           .by_probe = chance(50)});
    }
  }

  void die(unsigned slot) {
    Process& process = processes_.at(slot);
    process.leader = false;
    process.leftovers = !process.killed && chance(30);
    send(slot, {.kind = E::exited,
                .status = chance(50) ? W_EXITCODE(static_cast<int>(pick(3)), 0) : W_EXITCODE(0, 9),
                .survived = process.leftovers,
                .out_of_memory = chance(5)});
  }

  /// The leader is dead: `emptied` follows when the rest is dead, too.
  void settle(unsigned slot) {
    Process& process = processes_.at(slot);
    if (process.leftovers && chance(50)) {
      process.leftovers = false;
      return;
    }
    if (process.leftovers) return;
    processes_.erase(slot);
    send(slot, {E::emptied});
  }

  void send(unsigned slot, const Event& event) {
    last_ = std::string(name(event.kind));
    group_.on(slot, event, traffic_, now_);
    obey();
  }

  void obey() {
    for (auto commands = group_.take_commands(); !commands.empty(); commands = group_.take_commands())
      for (const auto& [slot, actions] : commands) {
        const auto process = processes_.find(slot);
        if (actions.has(Action::kill) && process != processes_.end()) process->second.killed = true;
        if (!actions.has(Action::spawn)) continue;
        if (process != processes_.end()) violated("a second process in one slot");
        if (stopped_) violated("a start of a stopped version");
        if (group_.state(traffic_) == VersionState::failed) violated("a start of a failed version");
        if (chance(5))
          group_.exhausted(slot, now_);
        else
          processes_[slot] = {};
      }
  }

  void observe() {
    std::size_t wanted = 0, healthy = 0;
    for (const auto& [number, slot] : group_.slots()) {
      look_at(number, slot.machine);
      wanted += slot.machine.wanted() ? 1 : 0;
      healthy += slot.machine.routable() ? 1 : 0;
    }
    for (const auto& [number, process] : processes_)
      if (!group_.slots().contains(number)) violated("a process without a slot");
    const bool failed = group_.state(traffic_) == VersionState::failed;
    if (stopped_ && wanted > 0) violated("a stopped version wants workers");
    // An undone replacement returns to the settings before it, until there are new ones.
    undone_ = undone_ || !group_.rolled_back().empty();
    const std::uint32_t fewest = undone_ ? *counts_.begin() : instances_;
    const std::uint32_t most = undone_ ? *counts_.rbegin() : instances_;
    if (!stopped_ && !failed && wanted < fewest) violated("fewer workers are wanted than instances");
    if (wanted > most + 1u) violated("more workers are wanted than instances and one");
    const auto transitions = group_.take_transitions();
    const bool withdrawn = std::any_of(transitions.begin(), transitions.end(), [](const auto& change) {
      return change.from == S::healthy && change.to == S::draining;
    });
    if (withdrawn && !stopped_ && healthy == 0) violated("a replacement took the last routable worker away");
    for (const auto& change : transitions)
      if (change.delay > RestartPolicy::kMaxExhaustedDelay * 6 / 5 && change.to == S::backoff)
        violated("a back-off beyond its cap");
  }

  void look_at(unsigned number, const WorkerMachine& machine) {
    const S state = machine.state();
    const auto process = processes_.find(number);
    const bool lives = process != processes_.end() && process->second.leader;
    if (machine.routable() != (state == S::healthy)) violated("routable is not healthy");
    if (machine.routable() && !lives) violated("a dead worker is routable");
    if (machine.routable() && !machine.wanted()) violated("an unwanted worker is routable");
    if (machine.alive() != (process != processes_.end())) violated("the machine is wrong about its process");
    if (!machine.wanted() && !machine.alive()) violated("an unwanted worker without a process is kept");
    const bool waits_for_probes = !probing_ && (state == S::ready || state == S::unhealthy || state == S::spawned);
    if (machine.displaced() && (state != S::unhealthy || machine.next_deadline()))
      violated("a worker whose address was taken is going to be ended");
    if (machine.alive() && state != S::healthy && !machine.displaced() && !machine.next_deadline() && !waits_for_probes)
      violated("nothing ends the state " + std::string(name(state)));
    if (!machine.wanted())
      unwanted_.insert(number);
    else if (unwanted_.erase(number) > 0 && machine.alive())  // else it is a different slot with the same number
      violated("an unwanted worker is wanted again");
  }

  /// From now on all processes cooperate: stopped workers end, in whatever state they are.
  void finish() {
    stop();
    probing_ = true;
    group_.probing(true, now_);
    for (unsigned i = 0; i < kLastSteps && !group_.empty() && violation_.empty(); ++i) {
      std::vector<unsigned> slots;
      for (const auto& [number, process] : processes_) slots.push_back(number);
      for (const unsigned slot : slots) {
        Process& process = processes_.at(slot);
        if (process.leader && (process.killed || chance(60))) die(slot);
        process.leftovers = process.leftovers && !process.killed;
        if (!process.leader && !process.leftovers) settle(slot);
      }
      pass_time();
      observe();
    }
    if (!group_.empty()) violated("a stopped version never ended");
    if (!processes_.empty()) violated("a process outlived its version");
  }

  Chance random_;
  unsigned most_steps_;
  VersionGroup group_;
  TimePoint now_{1h};
  std::map<unsigned, Process> processes_;
  std::set<unsigned> unwanted_;
  bool traffic_ = true, probing_ = true, stopped_ = false, undone_ = false;
  std::uint32_t instances_ = 0;
  std::set<std::uint32_t> counts_;  // numbers of instances requested since the last finished replacement
  std::string last_, violation_;
};

}  // namespace

TEST_CASE("traces: the invariants hold for random events in random order, and stopped versions end") {
  const std::uint64_t count = number_from("GRAY_TRACES", kDefaultTraces);
  const std::uint64_t first = number_from("GRAY_SEED", std::random_device{}());
  const auto steps = static_cast<unsigned>(number_from("GRAY_STEPS", kDefaultSteps));
  MESSAGE(count << " traces from GRAY_SEED=" << first);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string violation = Trace(first + i, steps).run();
    if (!violation.empty())
      FAIL(violation << "; repeat it with GRAY_TRACES=1 GRAY_STEPS=" << steps << " GRAY_SEED=" << first + i);
  }
}
