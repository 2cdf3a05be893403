// Each case is a child with the filter that tries calls. Builds with a sanitizer allow more, so only the permitted
// calls are checked there.
#include "grayd/process/system_calls.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <thread>
#include <vector>

#include "config/base/sanitized.hpp"
#include "tests/grayd/process/in_child.hpp"

using namespace gray;
using namespace gray::master;

namespace {

bool limited(ProcessKind kind) {
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && limit_system_calls(kind).empty();
}

bool refused(long result) { return result < 0 && errno == EPERM; }

long execute_true() {
  char name[] = "true";
  char* const argv[] = {name, nullptr};
  return ::execv("/bin/true", argv);
}

/// The first of these that is not refused, counted from 1; 0: all are.
int first_hostile_call() {
  int number = 0;
  const pid_t parent = ::getppid();
  for (const auto& attempt : std::vector<long (*)()>{
           [] { return long{::open("/etc/passwd", O_RDONLY | O_CLOEXEC)}; },
           [] { return long{::open("/tmp/gray-not-made", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)}; },
           [] { return execute_true(); },
           [] { return ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); },
           [] { return long{::setuid(0)}; },
           [] { return long{::fork()}; },
           [] { return ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0); },
           [] { return long{::unshare(CLONE_NEWUSER)}; },
           [] { return long{::socket(AF_PACKET, SOCK_RAW, 0)}; },
           [] { return long{::socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE)}; },
           [] { return long{::mkdir("/tmp/gray-not-made", 0700)}; },
           [] { return long{::unlink("/tmp/gray-not-made")}; },
           [] { return ::syscall(SYS_bpf, 0, nullptr, 0); },
           [] { return ::syscall(SYS_io_uring_setup, 1, nullptr); },
           [] { return ::syscall(SYS_keyctl, 0, 0, 0, 0, 0); },
           [] { return ::syscall(SYS_process_vm_readv, ::getpid(), nullptr, 0, nullptr, 0, 0); },
           [] { return long{::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)}; },
           [] {
             return reinterpret_cast<long>(
                 ::mmap(nullptr, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
           },
       }) {
    ++number;
    if (!refused(attempt())) return number;
  }
  return refused(::syscall(SYS_tgkill, parent, parent, SIGKILL)) ? 0 : number + 1;
}

}  // namespace

TEST_CASE("a router can serve: memory, threads, sockets, timers, its log") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  CHECK(test::in_child([&] {
          if (!limited(ProcessKind::router)) return 1;
          const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
          sockaddr_in address{};
          address.sin_family = AF_INET;
          address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
          socklen_t size = sizeof address;
          if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener, 1) == 0)
            return 2;
          if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 3;
          const int peer = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
          ucred credentials{};
          socklen_t bytes = sizeof credentials;
          if (::getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) != 0) return 4;
          if (::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG) < 0) return 5;
          const int events = ::eventfd(1, EFD_CLOEXEC), watch = ::epoll_create1(EPOLL_CLOEXEC);
          epoll_event event{EPOLLIN, {}};
          if (::epoll_ctl(watch, EPOLL_CTL_ADD, events, &event) != 0 || ::epoll_wait(watch, &event, 1, 0) != 1)
            return 6;
          int done = 0;
          std::thread([&done] { done = 1; }).join();
          std::vector<char> large(8 << 20, 'x');
          struct stat facts{};
          if (done != 1 || ::fstat(watch, &facts) != 0 || ::fcntl(watch, F_SETFD, FD_CLOEXEC) != 0) return 7;
          return ::write(ends[1], large.data(), 1) == 1 ? 0 : 8;
        }) == 0);
}

TEST_CASE("a router can do nothing else") {
  if (kSanitized) return;
  CHECK(test::in_child([] { return limited(ProcessKind::router) ? first_hostile_call() : 100; }) == 0);
}

TEST_CASE("the filter holds for threads that run already, and for abort() it makes no difference") {
  if (kSanitized) return;
  CHECK(test::in_child([] {
          int go[2], answer = 0;
          if (::pipe2(go, O_CLOEXEC) != 0) return 1;
          std::thread thread([&] {
            char byte = 0;
            (void)!::read(go[0], &byte, 1);
            answer = refused(::open("/etc/passwd", O_RDONLY | O_CLOEXEC)) ? 1 : 2;
          });
          const bool done = limited(ProcessKind::router);
          (void)!::write(go[1], "x", 1);
          thread.join();
          return done && answer == 1 ? 0 : 2;
        }) == 0);
  CHECK(test::in_child([]() -> int {
          ::signal(SIGABRT, SIG_DFL);
          if (limited(ProcessKind::router)) std::abort();
          return 1;
        }) == -1);
}

TEST_CASE("the guard can signal, but not connect") {
  if (kSanitized) return;
  CHECK(test::in_child([] {
          if (!limited(ProcessKind::guard)) return 1;
          if (::kill(::getpid(), 0) != 0) return 2;
          if (!refused(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))) return 3;
          return refused(::open("/etc/passwd", O_RDONLY | O_CLOEXEC)) && refused(execute_true()) ? 0 : 4;
        }) == 0);
}
