#pragma once
// Threads that may not use netlink.
#include <doctest/doctest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <thread>

namespace gray::test {

/// From now on this thread may not open netlink sockets, as with a container's filter of system calls.
inline bool forbid_netlink() {
  constexpr std::uint32_t kCall = offsetof(seccomp_data, nr), kFamily = offsetof(seccomp_data, args[0]);
  sock_filter steps[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kCall),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kFamily),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(steps)), steps};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// In a thread of its own, because the filter cannot be removed.
inline void without_netlink(const std::function<void()>& check) {
  bool forbidden = false;
  std::thread([&] {
    forbidden = forbid_netlink();
    if (forbidden) check();
  }).join();
  REQUIRE(forbidden);
}

}  // namespace gray::test
