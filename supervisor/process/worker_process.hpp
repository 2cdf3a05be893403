#pragma once
// One process of a worker with its channels: notify socket, readiness pipes, Node IPC, stdout, stderr, pidfd. It
// reports events and decides nothing. The channels stay open as long as any process of the worker lives: a Node program
// dies if its IPC channel or its stdout is closed.
//
// Order: output that a process wrote before it ended is reported before its end.
#include <array>
#include <asio/io_context.hpp>
#include <functional>
#include <memory>

#include "supervisor/process/containment.hpp"
#include "supervisor/process/environment.hpp"
#include "supervisor/process/output.hpp"
#include "supervisor/process/readiness.hpp"
#include "supervisor/process/spawn.hpp"
#include "supervisor/process/watch.hpp"
#include "supervisor/process/worker_folder.hpp"

namespace gray::supervisor {

class WorkerProcess {
 public:
  /// Called on the loop's thread; must not destroy the process.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void executed() = 0;
    virtual void spawn_failed(const SpawnError& error, const std::string& text) = 0;
    virtual void said_ready(ReadyWay way) = 0;
    virtual void noticed(const Notice& notice) = 0;
    virtual void ignored(const std::string& why) = 0;  // a message on the notify socket; once for each process
    virtual void closed(ReadyWay way) = 0;  // its end of that channel; it may have been ready before, or be ending
    virtual void exited(int status) = 0;    // as in waitpid(2)
    virtual void rest_changed() = 0;        // gone() or group_ended() may have changed
    virtual void wrote(const std::string& line) = 0;  // for the log, which is bounded in lines a second
    virtual void kept_output() = 0;                   // lines were added to the tail
  };
  struct Launch {
    const VersionSettings& settings;
    const ReadyJudge& judge;
    WorkerIdentity identity;
    std::optional<Cgroup> cgroup;
    OutputTail& tail;
    LineRate& rate;
    ProcessScan& scan;
    std::optional<WorkerFolder> folder = {};  // of the sockets that `identity` names
    std::optional<Credentials> user = {};
    int listener = -1;  // the inherited socket; borrowed
  };

  /// Nothing: `error` is the errno.
  static std::unique_ptr<WorkerProcess> start(asio::io_context& io, Owner& owner, Launch launch, int& error);
  /// For a process that was started before an exec; archive() reads the rest.
  WorkerProcess(asio::io_context& io, Owner& owner, OutputTail& tail, LineRate& rate, ProcessScan& scan, Restored);
  /// Kills the remaining processes, and waits for the leader.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t pid() const { return containment_.leader(); }
  void signal(int signal) const { containment_.signal(signal); }
  void kill() const { containment_.kill(); }
  std::vector<pid_t> members() const { return containment_.members(); }
  std::vector<pid_t> group() const { return containment_.group(); }
  /// WorkerFolder::admit() for its sockets.
  std::string admit(const std::vector<uid_t>& users) const { return folder_ ? folder_->admit(users) : std::string(); }
  const Containment& containment() const { return containment_; }
  /// After exited(): whether no process of its group is left, which may still be finishing its work. If watches_rest(),
  /// rest_changed() says when to ask again.
  bool group_ended();
  /// After exited(): whether no process is left. Then it reports the last output and reaps the leader; otherwise it
  /// kills the rest; if watches_rest(), rest_changed() says when to ask again.
  bool gone();
  bool watches_rest() const { return static_cast<bool>(rest_); }
  /// For config/base/archive.hpp. Events during the exec, such as the end of the process, are reported after it.
  template <class Io>
  void archive(Io& io) {
    io("containment", containment_);
    io.check("containment", !Io::kLoads || is_own_child(pid()));
    io("plan", plan_);
    io("folder", folder_);
    io("pipe_reader", pipe_reader_);
    io("newline_reader", newline_reader_);
    io("ipc_reader", ipc_reader_);
    io("out_stream", out_stream_);
    io("err_stream", err_stream_);
    for (auto& [name, watch, readable] : listened()) {
      if constexpr (Io::kLoads)
        listen(watch, UniqueFd(io.fd(name)), std::move(readable));
      else
        io.fd(name, watch.fd());
    }
  }

 private:
  /// A channel that is read as long as it is open.
  struct Listened {
    const char* name;
    Watch& watch;
    std::function<void()> readable;
  };
  /// One pipe or socketpair: ours is non-blocking, theirs goes to the child.
  struct Channel {
    UniqueFd ours, theirs;
  };
  struct Channels;

  WorkerProcess(asio::io_context& io, Owner& owner, Launch& launch, pid_t pid);
  static bool is_own_child(pid_t pid);
  std::array<Listened, 8> listened();
  void listen(Watch& watch, UniqueFd fd, std::function<void()> readable);
  void on_spawn_progress();
  void on_notify(std::size_t limit);
  bool may_notify(pid_t sender);
  void on_ready_pipe(std::size_t limit);
  void on_ready_fd(std::size_t limit);
  void on_ipc(std::size_t limit);
  void on_output(Watch& watch, OutputStream& stream, std::size_t limit);
  void on_exit();
  void watch_rest(UniqueFd member);
  void drain();
  void reap();

  asio::io_context& io_;
  Owner& owner_;
  Containment containment_;
  SpawnPlan plan_;
  std::optional<WorkerFolder> folder_;
  Watch exit_, rest_, errors_, notify_, ready_, newline_, ipc_, out_, err_;
  PipeReader pipe_reader_;
  NewlineReader newline_reader_;
  IpcReader ipc_reader_;
  OutputStream out_stream_, err_stream_;
  bool reaped_ = false;
  bool ignored_ = false;  // a message; not handed over
};

}  // namespace gray::supervisor
