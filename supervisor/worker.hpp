#pragma once
// The shell of one worker slot: executes the actions of its machine (start a process, send signals), asks for probes,
// and turns what happens into events. It knows only the current process; the output, the port setting and the inherited
// listening socket outlive a process.
//
// A worker that drains or is stopped has not ended with its first process, which may be a wrapper (npm, a shell): the
// end is reported when its process group has ended, too, or was killed.
#include <asio/io_context.hpp>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "supervisor/process/address_claim.hpp"
#include "supervisor/process/oom_kills.hpp"
#include "supervisor/process/port.hpp"
#include "supervisor/process/worker_process.hpp"
#include "supervisor/supervisor.hpp"
#include "supervisor/worker_machine.hpp"

namespace gray::supervisor {

struct Version;

/// The slot of a worker; no version: none.
struct WorkerPlace {
  Version* version = nullptr;
  unsigned worker_slot = 0;
};

/// Data that all workers of a master share. Outlives them.
struct WorkerContext {
  asio::io_context& io;
  Host& host;
  CgroupTree& cgroups;
  std::string instance;
  std::uint64_t generation = 0;  // of the last process; never reused
  std::uint64_t probe = 0;       // of the last probe
  std::uint64_t output = 0;      // of the last line that a worker wrote
  std::string state_dir;         // the last place for sockets; empty: none
  WorkerFolders folders{instance, worker_folder_parents(state_dir)};
  PeerOwners kernel = {};
  ProcessScan scan = {};
  std::map<std::uint64_t, WorkerPlace> asked = {};      // by the probe in flight; at most one of each worker
  std::map<std::uint64_t, WorkerPlace> processes = {};  // by generation
};

/// The answer to a probe.
struct ProbeResult {
  bool ok = false;
  std::string text;  // for people
  std::optional<PeerOwner> peer = {};
};

class Worker final : private WorkerProcess::Owner {
 public:
  static constexpr Duration kFastProbe{100};  // until first healthy
  static constexpr Duration kLookAgain{
      1'000};  // for processes that a dead worker left, if no descriptor is free for a watch
  static constexpr Duration kWeigh{5'000};  // between two checks of its memory; longer if the health interval is

  /// `id`: "web@v1#0". `wake` is called when take_events() has something, or next_due() may have changed by itself.
  Worker(WorkerContext& context, std::string version, std::string id, std::function<void()> wake,
         WorkerPlace place = {});
  ~Worker() override;

  /// False: no process could be created; detail() says why.
  bool start(const VersionSettings& settings, TimePoint now);
  /// Applies the settings that concern a running process: how it is probed and stopped.
  void retune(const VersionSettings& settings, TimePoint now);
  void terminate();
  void kill();
  /// Does what is due: asks for a probe, or checks whether a wait is over. Returns whether a router could probe, if one
  /// was asked. A wait is checked once, and again after each event that may end it: look_again().
  std::optional<bool> poll(WorkerState state, TimePoint now);
  std::optional<TimePoint> next_poll(WorkerState state) const;
  /// Whether a check of its memory is due, which is limited. The ticks are common to all workers: one look at the
  /// processes serves them all.
  bool to_weigh(WorkerState state, TimePoint now);
  std::optional<TimePoint> next_weigh(WorkerState state) const;
  /// The next poll() or to_weigh().
  std::optional<TimePoint> next_due(WorkerState state) const;
  std::uint64_t memory_limit() const { return settings_.memory; }
  /// Whether the probe was one of this worker's.
  bool probed(std::uint64_t id, const ProbeResult& result, WorkerState state, TimePoint now);
  /// A router found a process of a different user at its address.
  void met_stranger(const PeerOwner& found, WorkerState state, TimePoint now);
  std::uint64_t generation() const { return generation_; }
  /// Lets the users of the routers connect to its unix socket, if it has one. Also done before each probe, because the
  /// socket is made by the worker, whenever it likes.
  void admit_routers();
  /// The state of the machine has changed.
  void state_changed(TimePoint now) { next_poll_ = now; }
  /// Whether it waits for an event.
  bool waits(WorkerState state) const {
    return leader_status_ || state == WorkerState::draining || state == WorkerState::exited;
  }
  /// An event that it waits for may have happened.
  void look_again(TimePoint now) { next_poll_ = now; }
  /// A check is needed now, whose outcome is reported.
  void probe_now(TimePoint now) {
    next_poll_ = now;
    may_look_ = false;
  }
  /// The router that was asked is gone.
  void forget_probe();

  /// The events since the last call, oldest first.
  std::deque<Event> take_events() { return std::exchange(events_, {}); }
  bool has_events() const { return !events_.empty(); }
  WorkerView view() const;
  /// Details of the last failure in addition to its cause; may be empty.
  const std::string& detail() const { return detail_; }
  /// Why it is not up yet, if that is known; may be empty.
  std::string complaint() const {
    if (!detail_.empty()) return detail_;
    if (ready_by_.empty() && !closed_.empty()) return closed_;
    return refused() ? std::string() : failed_probe();  // that nothing listens yet is normal
  }
  /// What its last probe found, with the request; empty if it passed.
  std::string failed_probe() const;
  const OutputTail& output() const { return tail_; }
  /// The lines that the last process wrote, as far as they are kept.
  std::vector<std::string> own_lines() const;
  /// Has not reported ready, but answers: most of its start is over.
  bool answers() const { return judge_ && judge_->answered(); }
  /// All processes of the worker.
  std::vector<pid_t> members() const { return process_ ? process_->members() : std::vector<pid_t>(); }
  bool has_cgroup() const { return process_ && process_->containment().has_cgroup(); }
  /// Bytes of its cgroup; nothing: it has none, or no memory controller.
  std::optional<std::uint64_t> cgroup_memory() const {
    return process_ ? process_->containment().memory() : std::nullopt;
  }
  const std::string& ready_by() const { return ready_by_; }
  const std::string& id() const { return id_; }
  /// For config/base/archive.hpp. A probe in flight is dropped: its answer will be ignored.
  template <class Io>
  void archive(Io& io) {
    io("settings", settings_);
    io("judge", judge_, [this] { return ReadyJudge(settings_); });
    io("port", port_);
    io("reserve_port", reserve_port_);
    io("address", address_);
    io("claim", claim_, [] { return AddressClaim(kRestored); });
    io("cell", cell_);
    io("oom_kills", oom_kills_);
    io("generation", generation_);
    io("ending", ending_);
    io("killed", killed_);
    io("draining", draining_);
    io("leader_status", leader_status_);
    io("ended", ended_);
    io("ready_by", ready_by_);
    io("status", status_);
    io("detail", detail_);
    io("closed", closed_);
    io("last_answer", last_answer_);
    io("listener", listener_);
    io("started", started_);
    io("next_poll", next_poll_);
    io("next_weigh", next_weigh_);
    io("tail", tail_);
    io("rate", rate_);
    io("first_line", first_line_);
    io("events", events_);
    io("process", process_, [this] { return resumed_process(); });
    io.check("process", !process_ || (judge_ && cell_ && oom_kills_));
  }
  TimePoint started() const { return started_; }
  pid_t pid() const { return process_ ? process_->pid() : 0; }

 private:
  void executed() override { report({.kind = WorkerEvent::executed}); }
  void spawn_failed(const SpawnError& error, const std::string& text) override;
  void said_ready(ReadyWay way) override;
  void noticed(const Notice& notice) override;
  void ignored(const std::string& why) override;
  void closed(ReadyWay way) override;
  void exited(int status) override;
  void rest_changed() override;
  void wrote(const std::string& line) override;
  void kept_output() override { context_.host.output_kept(); }

  bool prepare_address(int& error);
  bool make_process(int& error);
  std::unique_ptr<WorkerProcess> resumed_process();
  std::string label(ReadyWay way) const;
  void report(const Event& event) {
    events_.push_back(event);
    wake_();
  }
  void become_ready(ReadyWay way, bool by_probe);
  std::optional<bool> ask_probe(WorkerState state, TimePoint now);
  /// Whether a probe is not needed this time.
  bool is_as_before(WorkerState state);
  void judge_answer(bool ok, TimePoint now);
  void lost_address(const std::string& why, WorkerState state, TimePoint now);
  void wait_for_group(TimePoint now);
  void report_end();
  std::string survivor() const;
  std::string stop_timed_out() const;
  void end_process();
  bool probes(WorkerState state) const;
  bool refused() const { return last_answer_.starts_with("connect: "); }

  WorkerContext& context_;
  std::string version_, id_;
  std::function<void()> wake_;
  WorkerPlace place_;
  VersionSettings settings_;
  std::unique_ptr<WorkerProcess> process_;
  std::optional<ReadyJudge> judge_;
  std::optional<Port> port_;  // none if it has a unix socket
  bool reserve_port_ = true;
  std::optional<WorkerFolder> folder_;  // until it is passed to the process
  Address address_;
  std::optional<AddressClaim> claim_;  // of the process to the address
  std::optional<std::uint32_t> cell_;
  std::optional<OomKills> oom_kills_;
  std::uint64_t generation_ = 0;
  bool ending_ = false;               // we sent it the stop signal
  bool killed_ = false;               // we killed it
  bool draining_ = false;             // at the last poll
  std::optional<int> leader_status_;  // the first process has ended, its group has not
  bool ended_ = false;                // its end was reported
  std::string ready_by_, status_, detail_;
  std::string closed_;       // the channel that it closed without a ready message, or a message that was ignored
  std::string last_answer_;  // of a failed probe
  std::optional<PeerOwner> stranger_;     // the one that detail_ describes; not handed over
  std::optional<ListenerView> listener_;  // of this process; none: not looked at yet
  TimePoint started_{}, next_weigh_{};
  std::optional<TimePoint> next_poll_ = TimePoint{};  // none: look_again() says when
  std::uint64_t asked_ = 0;                           // the probe in flight; 0: none
  TimePoint asked_at_{};
  unsigned looks_ = 0;    // at the listener, since the last probe
  bool may_look_ = true;  // instead of the next probe
  OutputTail tail_{context_.output};
  LineRate rate_;
  std::uint64_t first_line_ = 0;  // the last line before those of this process
  std::deque<Event> events_;
};

}  // namespace gray::supervisor
