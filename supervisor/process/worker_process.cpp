#include "supervisor/process/worker_process.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "supervisor/kernel/process_table.hpp"
#include "supervisor/process/notify_socket.hpp"

namespace gray::supervisor {
namespace {

constexpr std::size_t kTurn = 256 * 1024;  // bytes of one channel per turn, so that a flood does not hold up the others
constexpr std::size_t kLast = 2 * 1024 * 1024;  // bytes of one channel read before an exit is reported

enum class Stream { open, ended };

// Reads available bytes, at most `limit`.
template <class Use>
Stream read_available(int fd, std::size_t limit, Use&& use) {
  std::array<char, 64 * 1024> chunk;
  for (std::size_t total = 0; total < limit;) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got == 0) return Stream::ended;
    if (got < 0) return errno == EAGAIN || errno == EINTR ? Stream::open : Stream::ended;
    use(std::string_view(chunk.data(), static_cast<std::size_t>(got)));
    total += static_cast<std::size_t>(got);
  }
  return Stream::open;
}

bool set_nonblocking(int fd) { return ::fcntl(fd, F_SETFL, O_NONBLOCK) == 0; }

bool open_pipe(UniqueFd& ours, UniqueFd& theirs) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return false;
  ours.reset(ends[0]);
  theirs.reset(ends[1]);
  return set_nonblocking(ours.get());
}

bool open_pair(UniqueFd& ours, UniqueFd& theirs) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
  ours.reset(ends[0]);
  theirs.reset(ends[1]);
  return set_nonblocking(ours.get());
}

}  // namespace

// Descriptors of the child: 0 /dev/null, 1 and 2 output, 3 the listening socket if it inherits one, N of fd:N; the
// readiness pipe and IPC take the first free ones. A channel that is not offered is not created.
struct WorkerProcess::Channels {
  Channel null, out, err, notify, ready, newline, ipc;
  std::vector<int> fds;

  bool open(Launch& launch) {
    null.theirs.reset(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null.theirs || !open_pipe(out.ours, out.theirs) || !open_pipe(err.ours, err.theirs)) return false;
    fds = {null.theirs.get(), out.theirs.get(), err.theirs.get()};
    if (launch.user) give_output(*launch.user);
    if (launch.listener >= 0) fds.push_back(launch.listener);
    return open_readiness(launch);
  }

 private:
  bool open_readiness(Launch& launch) {
    if (launch.judge.offers(ReadyWay::fd)) {
      if (!open_pipe(newline.ours, newline.theirs)) return false;
      const auto target = static_cast<std::size_t>(launch.settings.ready.fd);
      fds.resize(std::max(fds.size(), target + 1), -1);
      fds[target] = newline.theirs.get();
    }
    if (launch.judge.offers(ReadyWay::pipe)) {
      if (!open_pipe(ready.ours, ready.theirs)) return false;
      launch.identity.ready_fd = place(ready.theirs.get());
    }
    if (launch.judge.offers(ReadyWay::ipc)) {
      if (!open_pair(ipc.ours, ipc.theirs)) return false;
      launch.identity.ipc_fd = place(ipc.theirs.get());
    }
    if (launch.identity.notify_path.empty()) return true;
    notify.ours = open_notify_socket(launch.identity.notify_path);
    return static_cast<bool>(notify.ours);
  }

  int place(int fd) {
    const auto free = std::find(fds.begin(), fds.end(), -1);
    const auto index = free - fds.begin();
    if (free == fds.end())
      fds.push_back(fd);
    else
      *free = fd;
    return static_cast<int>(index);
  }

  // Programs open /dev/stdout, and the kernel checks the permissions of the pipe behind it.
  void give_output(const Credentials& user) const {
    for (const Channel* channel : {&out, &err}) (void)!::fchown(channel->theirs.get(), user.uid, user.gid);
  }
};

std::unique_ptr<WorkerProcess> WorkerProcess::start(asio::io_context& io, Owner& owner, Launch launch, int& error) {
  Channels channels;
  if (!channels.open(launch)) {
    error = errno;
    return nullptr;
  }
  SpawnPlan plan;
  plan.argv = launch.settings.command;
  plan.environment = worker_environment(environ, launch.settings.env, launch.identity);
  plan.candidates = program_candidates(plan.argv.front(), plan.environment);
  plan.cwd = launch.settings.cwd;
  plan.fds = channels.fds;
  plan.listen_pid = launch.identity.inherits_socket;
  plan.user = launch.user;
  const UniqueFd procs = launch.cgroup ? launch.cgroup->open_procs() : UniqueFd();
  plan.cgroup_procs = procs.get();
  auto spawned = spawn(plan, error);
  if (!spawned) {
    if (launch.cgroup) launch.cgroup->remove();
    return nullptr;
  }
  std::unique_ptr<WorkerProcess> process(new WorkerProcess(io, owner, launch, spawned->pid));
  process->plan_ = std::move(plan);
  UniqueFd* const fds[] = {&spawned->errors,       &channels.out.ours,   &channels.err.ours, &channels.notify.ours,
                           &channels.newline.ours, &channels.ready.ours, &channels.ipc.ours, &spawned->pidfd};
  auto fd = std::begin(fds);
  for (auto& [name, watch, readable] : process->listened())
    process->listen(watch, std::move(**fd++), std::move(readable));
  return process;
}

WorkerProcess::WorkerProcess(asio::io_context& io, Owner& owner, Launch& launch, pid_t pid)
    : io_(io),
      owner_(owner),
      containment_(pid, std::move(launch.cgroup), launch.identity.instance, launch.identity.generation, launch.scan),
      folder_(std::move(launch.folder)),
      out_stream_(launch.tail, launch.rate, false),
      err_stream_(launch.tail, launch.rate, true) {}

WorkerProcess::WorkerProcess(asio::io_context& io, Owner& owner, OutputTail& tail, LineRate& rate, ProcessScan& scan,
                             Restored)
    : io_(io),
      owner_(owner),
      containment_(scan, kRestored),
      out_stream_(tail, rate, false),
      err_stream_(tail, rate, true) {}

WorkerProcess::~WorkerProcess() {
  if (reaped_) return;
  containment_.kill();
  reap();
}

// A process is known by its pid, which is reliable only for our own children, dead or not.
bool WorkerProcess::is_own_child(pid_t pid) {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT | WNOHANG) == 0;
}

// The order of events that are available at the same time: the program runs, its output, its messages, its end.
std::array<WorkerProcess::Listened, 8> WorkerProcess::listened() {
  return {{{"errors", errors_, [this] { on_spawn_progress(); }},
           {"out", out_, [this] { on_output(out_, out_stream_, kTurn); }},
           {"err", err_, [this] { on_output(err_, err_stream_, kTurn); }},
           {"notify", notify_, [this] { on_notify(kTurn); }},
           {"newline", newline_, [this] { on_ready_fd(kTurn); }},
           {"ready", ready_, [this] { on_ready_pipe(kTurn); }},
           {"ipc", ipc_, [this] { on_ipc(kTurn); }},
           {"exit", exit_, [this] { on_exit(); }}}};
}

void WorkerProcess::listen(Watch& watch, UniqueFd fd, std::function<void()> readable) {
  if (fd) watch = Watch(io_, std::move(fd), std::move(readable));
}

void WorkerProcess::on_spawn_progress() {
  if (!errors_) return;
  SpawnError error;
  switch (read_spawn_error(errors_.fd(), error)) {
    case SpawnProgress::again: return;
    case SpawnProgress::executed: owner_.executed(); break;
    case SpawnProgress::failed: owner_.spawn_failed(error, describe(error, plan_)); break;
  }
  errors_.close();
}

// Only a running program can send messages, so its start is reported first.
void WorkerProcess::on_notify(std::size_t limit) {
  if (!notify_) return;
  on_spawn_progress();
  const auto notices =
      read_notices(notify_.fd(), limit / Notice::kBytes, [this](pid_t sender) { return may_notify(sender); });
  for (const Notice& notice : notices) owner_.noticed(notice);
}

bool WorkerProcess::may_notify(pid_t sender) {
  if (containment_.contains(sender)) return true;
  if (std::exchange(ignored_, true)) return false;
  const auto info = parse_stat(read_file("/proc/" + std::to_string(sender) + "/stat"));
  const std::string text = "a message on its NOTIFY_SOCKET was ignored: the sender, pid " + std::to_string(sender);
  owner_.ignored(info ? text + " (" + info->name + "), is not a process of this worker; send it from the worker itself"
                      : text + ", has ended and cannot be checked; send it from a process that still runs, or " +
                            "wait until it was read, as systemd-notify does");
  return false;
}

void WorkerProcess::on_ready_pipe(std::size_t limit) {
  if (!ready_) return;
  bool ready = false;
  const Stream stream =
      read_available(ready_.fd(), limit, [&](std::string_view bytes) { ready |= pipe_reader_.feed(bytes); });
  if (stream == Stream::ended) {
    ready |= pipe_reader_.end();
    ready_.close();
  }
  if (ready) owner_.said_ready(ReadyWay::pipe);
  if (stream == Stream::ended) owner_.closed(ReadyWay::pipe);
}

void WorkerProcess::on_ready_fd(std::size_t limit) {
  if (!newline_) return;
  bool ready = false;
  const Stream stream =
      read_available(newline_.fd(), limit, [&](std::string_view bytes) { ready |= newline_reader_.feed(bytes); });
  if (ready) owner_.said_ready(ReadyWay::fd);
  if (stream == Stream::open) return;
  newline_.close();
  owner_.closed(ReadyWay::fd);
}

// read(2) has no buffer for control messages, so the kernel closes the descriptors that are passed with a message.
void WorkerProcess::on_ipc(std::size_t limit) {
  if (!ipc_) return;
  bool ready = false;
  const Stream stream = read_available(ipc_.fd(), limit, [&](std::string_view bytes) {
    const IpcReader::Result result = ipc_reader_.feed(bytes);
    ready |= result.ready;
    for (unsigned i = 0; i < result.handles; ++i)
      (void)!::send(ipc_.fd(), IpcReader::kRefuseHandle.data(), IpcReader::kRefuseHandle.size(),
                    MSG_NOSIGNAL | MSG_DONTWAIT);
  });
  ready |= ipc_reader_.idle();
  if (ready) owner_.said_ready(ReadyWay::ipc);
  if (stream == Stream::open) return;
  ipc_.close();
  owner_.closed(ReadyWay::ipc);
}

void WorkerProcess::on_output(Watch& watch, OutputStream& stream, std::size_t limit) {
  if (!watch) return;
  const TimePoint now = Clock::now();
  const WallTime wall = wall_now();
  const auto log = [this](const std::string& line) { owner_.wrote(line); };
  const Stream state =
      read_available(watch.fd(), limit, [&](std::string_view bytes) { stream.feed(bytes, now, wall, log); });
  if (state != Stream::open) {
    stream.end(now, wall, log);
    watch.close();
  }
  owner_.kept_output();
}

void WorkerProcess::drain() {
  on_spawn_progress();
  on_notify(kLast);
  on_ready_fd(kLast);
  on_ready_pipe(kLast);
  on_ipc(kLast);
  on_output(out_, out_stream_, kLast);
  on_output(err_, err_stream_, kLast);
}

// The leader stays a zombie until its group is empty, so that pid and process group are not reused.
void WorkerProcess::on_exit() {
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid()), &info, WEXITED | WNOWAIT | WNOHANG) != 0 || info.si_pid == 0) return;
  drain();
  exit_.close();
  owner_.exited(info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0) : W_EXITCODE(0, info.si_status));
}

void WorkerProcess::watch_rest(UniqueFd member) {
  listen(rest_, std::move(member), [this] {
    rest_.close();
    owner_.rest_changed();
  });
}

bool WorkerProcess::group_ended() {
  rest_.close();
  Containment::Rest rest = containment_.rest_of_group();
  if (!rest.empty) watch_rest(std::move(rest.watch));
  return rest.empty;
}

// Each call kills again, because the remaining processes may fork.
bool WorkerProcess::gone() {
  rest_.close();
  Containment::Rest rest = containment_.rest();
  if (!rest.empty) {
    containment_.kill();
    watch_rest(std::move(rest.watch));
    return false;
  }
  drain();
  reap();
  return true;
}

void WorkerProcess::reap() {
  if (std::exchange(reaped_, true)) return;
  while (::waitpid(pid(), nullptr, 0) < 0 && errno == EINTR) {
  }
  while (::waitpid(-pid(), nullptr, WNOHANG) > 0) {
  }  // orphans of its group that became our children
  containment_.dissolve();
}

}  // namespace gray::supervisor
