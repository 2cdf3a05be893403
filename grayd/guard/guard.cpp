#include "grayd/guard/guard.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <system_error>

#include "config/base/archive.hpp"
#include "config/base/log.hpp"
#include "config/base/pidfd.hpp"
#include "grayd/process/own_child.hpp"

namespace gray::master {
namespace {

constexpr int kGroupsFd = 3;
constexpr Duration kYoungGuard{1'000};  // the replacement of a guard that died sooner waits this long

}  // namespace

Guard::Guard(asio::io_context& io) : io_(io), pidfd_(io), respawn_(io) {}

Guard::~Guard() {
  if (pid_ == 0) return;
  ::pidfd_send_signal(pidfd_.native_handle(), SIGKILL, nullptr, 0);
  ::waitpid(pid_, nullptr, 0);
}

void Guard::start(const std::string& cgroup) {
  cgroup_ = cgroup;
  wanted_ = true;
  spawn();
}

void Guard::spawn() try {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "make its pipe");
  UniqueFd theirs(ends[0]), ours(ends[1]);
  ::fcntl(ours.get(), F_SETFL, O_NONBLOCK);
  std::vector<std::string> arguments{"grayd", "guard", "--groups", std::to_string(kGroupsFd)};
  if (!cgroup_.empty()) arguments.insert(arguments.end(), {"--cgroup", cgroup_});
  auto child = start_own_child("/proc/self/exe", std::move(arguments), {{theirs.get(), kGroupsFd}}, "start it");
  pid_ = child.pid;
  pipe_ = std::move(ours);
  pidfd_.assign(child.pidfd.release());
  started_ = Clock::now();
  for (const pid_t group : groups_) tell(group);
  await_end();
} catch (const std::system_error& error) {
  log(LogLevel::error, fmt::format("no guard process: {}; if grayd is killed now, processes that workers started may "
                                   "keep running until its next start; trying again",
                                   error.what()));
  respawn_after(kYoungGuard);
}

void Guard::add(pid_t group) {
  groups_.insert(group);
  tell(group);
}

void Guard::remove(pid_t group) {
  groups_.erase(group);
  tell(-group);
}

/// The pipe is full only if the guard does not run, for example because it was stopped: the next one gets the whole
/// list.
void Guard::tell(pid_t number) {
  if (pid_ == 0 || ::write(pipe_.get(), &number, sizeof number) == sizeof number) return;
  ::pidfd_send_signal(pidfd_.native_handle(), SIGKILL, nullptr, 0);
}

void Guard::await_end() {
  pidfd_.async_wait(asio::posix::stream_descriptor::wait_read, lifetime_.guard([this](std::error_code error) {
    if (!error) on_end();
  }));
}

void Guard::on_end() {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) return await_end();
  log(LogLevel::error, fmt::format("the guard process {} ended: {}; a new one starts", pid_,
                                   WIFSIGNALED(status) ? fmt::format("signal {}", WTERMSIG(status))
                                                       : fmt::format("exit {}", WEXITSTATUS(status))));
  pid_ = 0;
  pidfd_.close();
  pipe_.reset();
  if (Clock::now() - started_ < kYoungGuard) return respawn_after(kYoungGuard);
  spawn();
}

void Guard::respawn_after(Duration delay) {
  respawn_.expires_after(delay);
  respawn_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error && pid_ == 0) spawn();
  }));
}

/// The pid last: an object that was only partly read kills no process.
template <class Io>
void Guard::archive(Io& io) {
  io("cgroup", cgroup_);
  io("groups", groups_);
  io("wanted", wanted_);
  io("started", started_);
  io("pipe", pipe_);
  if constexpr (Io::kLoads) {
    UniqueFd pidfd(io.fd("pidfd"));
    if (pidfd) pidfd_.assign(pidfd.release());
  } else {
    io.fd("pidfd", pidfd_.is_open() ? pidfd_.native_handle() : -1);
  }
  io("pid", pid_);
  if constexpr (Io::kLoads) {
    if (pid_ != 0)
      await_end();
    else if (wanted_)
      respawn_after(kYoungGuard);
  }
}
template void Guard::archive(Save&);
template void Guard::archive(Load&);

}  // namespace gray::master
