#include "grayd/process/system_calls.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <memory>

#include "config/base/sanitized.hpp"

namespace gray::master {
namespace {

/// Memory, time, the end of the process, and what the C library needs for threads and signals.
constexpr int kBasic[] = {
    SCMP_SYS(brk),
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(futex),
    SCMP_SYS(sched_yield),
    SCMP_SYS(gettid),
    SCMP_SYS(getpid),
    SCMP_SYS(getuid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getegid),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(rseq),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(getrandom),
    SCMP_SYS(membarrier),
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(close),
};

/// Sockets and descriptors that are open already, and the threads' schedule.
constexpr int kRouter[] = {SCMP_SYS(signalfd4),      SCMP_SYS(getppid),         SCMP_SYS(readv),
                           SCMP_SYS(writev),         SCMP_SYS(pread64),         SCMP_SYS(recvfrom),
                           SCMP_SYS(recvmsg),        SCMP_SYS(sendto),          SCMP_SYS(sendmsg),
                           SCMP_SYS(accept),         SCMP_SYS(accept4),         SCMP_SYS(connect),
                           SCMP_SYS(bind),           SCMP_SYS(shutdown),        SCMP_SYS(getsockopt),
                           SCMP_SYS(setsockopt),     SCMP_SYS(getsockname),     SCMP_SYS(getpeername),
                           SCMP_SYS(epoll_create1),  SCMP_SYS(epoll_ctl),       SCMP_SYS(epoll_wait),
                           SCMP_SYS(epoll_pwait),    SCMP_SYS(epoll_pwait2),    SCMP_SYS(eventfd2),
                           SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime), SCMP_SYS(poll),
                           SCMP_SYS(ppoll),          SCMP_SYS(fcntl),           SCMP_SYS(dup),
                           SCMP_SYS(dup3),           SCMP_SYS(close_range),     SCMP_SYS(fstat),
                           SCMP_SYS(lseek),          SCMP_SYS(ioctl),           SCMP_SYS(sched_getaffinity)};

/// The run-time libraries of the sanitizers and the program that prints their reports.
constexpr int kSanitizers[] = {SCMP_SYS(open),
                               SCMP_SYS(openat),
                               SCMP_SYS(readlink),
                               SCMP_SYS(readlinkat),
                               SCMP_SYS(newfstatat),
                               SCMP_SYS(stat),
                               SCMP_SYS(access),
                               SCMP_SYS(getdents64),
                               SCMP_SYS(ptrace),
                               SCMP_SYS(wait4),
                               SCMP_SYS(prctl),
                               SCMP_SYS(pipe),
                               SCMP_SYS(pipe2),
                               SCMP_SYS(process_vm_readv),
                               SCMP_SYS(clone),
                               SCMP_SYS(clone3),
                               SCMP_SYS(fork),
                               SCMP_SYS(vfork),
                               SCMP_SYS(execve),
                               SCMP_SYS(personality),
                               SCMP_SYS(arch_prctl),
                               SCMP_SYS(kill),
                               SCMP_SYS(tgkill),
                               SCMP_SYS(mmap),
                               SCMP_SYS(mprotect),
                               SCMP_SYS(getppid),
                               SCMP_SYS(getcwd),
                               SCMP_SYS(uname),
                               SCMP_SYS(sched_getaffinity)};

struct Release {
  void operator()(void* filter) const { ::seccomp_release(filter); }
};

/// The rules under construction; the first error stays.
class Filter {
 public:
  Filter() : filter_(::seccomp_init(SCMP_ACT_ERRNO(EPERM))), error_(filter_ ? 0 : -ENOMEM) {
    // Where seccomp(2) is refused, as under a filter of systemd, the library uses prctl(2), which filters the calling
    // thread only. No other thread has been started when a process of ours calls this.
    if (filter_) (void)::seccomp_attr_set(filter_.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  }

  template <std::size_t kCount>
  void allow(const int (&calls)[kCount]) {
    for (const int call : calls) allow(call, {});
  }
  void allow(int call, std::initializer_list<scmp_arg_cmp> conditions) { add(SCMP_ACT_ALLOW, call, conditions); }
  void refuse(int call, int error) { add(SCMP_ACT_ERRNO(static_cast<std::uint32_t>(error)), call, {}); }
  int load() {
    if (error_ == 0) note(::seccomp_load(filter_.get()));
    return error_;
  }

 private:
  /// A call that this architecture does not have has a negative number.
  void add(std::uint32_t action, int call, std::initializer_list<scmp_arg_cmp> conditions) {
    if (error_ != 0 || call < 0) return;
    note(::seccomp_rule_add_array(filter_.get(), action, call, static_cast<unsigned>(conditions.size()),
                                  conditions.begin()));
  }
  void note(int result) {
    if (error_ == 0 && result < 0) error_ = result;
  }

  std::unique_ptr<void, Release> filter_;
  int error_;
};

constexpr scmp_arg_cmp equals(unsigned argument, std::uint64_t value) { return {argument, SCMP_CMP_EQ, value, 0}; }
constexpr scmp_arg_cmp bits(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

/// Calls that are dangerous with other arguments. None of them is made for a request.
void allow_by_arguments(Filter& filter) {
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mprotect)}) filter.allow(call, {bits(2, PROT_EXEC, 0)});
  filter.allow(SCMP_SYS(tgkill), {equals(0, static_cast<std::uint64_t>(::getpid()))});  // abort()
  filter.allow(SCMP_SYS(prlimit64), {equals(0, 0), equals(2, 0)});                      // only reads its own
}

void allow_router(Filter& filter) {
  filter.allow(kRouter);
  filter.allow(SCMP_SYS(clone), {bits(0, CLONE_THREAD, CLONE_THREAD)});
  filter.allow(SCMP_SYS(newfstatat), {equals(3, AT_EMPTY_PATH)});  // fstat() of the C library
  // The flags of clone3 are in memory, where no filter sees them; the C library then uses clone.
  filter.refuse(SCMP_SYS(clone3), ENOSYS);
  for (const int family : {AF_UNIX, AF_INET, AF_INET6})
    filter.allow(SCMP_SYS(socket), {equals(0, static_cast<std::uint64_t>(family))});
  filter.allow(SCMP_SYS(socket), {equals(0, AF_NETLINK), equals(2, NETLINK_SOCK_DIAG)});
}

}  // namespace

std::string limit_system_calls(ProcessKind kind) {
  Filter filter;
  filter.allow(kBasic);
  if (kSanitized) {
    filter.allow(kSanitizers);
    filter.allow(kRouter);
    filter.allow(SCMP_SYS(socket), {});
  } else {
    allow_by_arguments(filter);
    if (kind == ProcessKind::router) allow_router(filter);
  }
  if (kind == ProcessKind::guard) filter.allow(SCMP_SYS(kill), {});
  const int error = filter.load();
  return error == 0 ? std::string() : fmt::format("cannot limit its system calls: {}", std::strerror(-error));
}

}  // namespace gray::master
