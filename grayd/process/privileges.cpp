#include "grayd/process/privileges.hpp"

#include <fmt/core.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "config/base/sanitized.hpp"

namespace gray::master {
namespace {

constexpr unsigned kMostCapabilities = 64;

struct CapabilitySets {
  Capabilities effective = 0, permitted = 0, inheritable = 0;
};

bool get_capabilities(CapabilitySets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  if (::syscall(SYS_capget, &header, data.data()) != 0) return false;
  const auto join = [](std::uint32_t low, std::uint32_t high) { return low | Capabilities{high} << 32; };
  sets = {join(data[0].effective, data[1].effective), join(data[0].permitted, data[1].permitted),
          join(data[0].inheritable, data[1].inheritable)};
  return true;
}

bool set_capabilities(const CapabilitySets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
  for (unsigned i = 0; i < data.size(); ++i) {
    data[i].effective = static_cast<std::uint32_t>(sets.effective >> (32 * i));
    data[i].permitted = static_cast<std::uint32_t>(sets.permitted >> (32 * i));
    data[i].inheritable = static_cast<std::uint32_t>(sets.inheritable >> (32 * i));
  }
  return ::syscall(SYS_capset, &header, data.data()) == 0;
}

/// Without CAP_SETPCAP the kernel refuses; with no_new_privs the bounding set gives nothing to anyone anyway.
void drop_bounding(Capabilities kept) {
  for (unsigned number = 0; number < kMostCapabilities; ++number) {
    if ((kept & capability(number)) == 0) ::prctl(PR_CAPBSET_DROP, number, 0, 0, 0);
  }
}

std::string failed(const char* what) { return fmt::format("cannot {}: {}", what, std::strerror(errno)); }

/// System calls directly: the functions of the C library change all threads, and take a lock for that.
std::string take_on(const UserIds& user) {
  const bool done = ::syscall(SYS_setgroups, 0, nullptr) == 0 &&
                    ::syscall(SYS_setresgid, user.gid, user.gid, user.gid) == 0 &&
                    ::syscall(SYS_setresuid, user.uid, user.uid, user.uid) == 0;
  if (done) return {};
  return failed(fmt::format("run as user {}", user.uid).c_str()) +
         "; grayd needs CAP_SETUID and CAP_SETGID for this, or set [router] user to grayd's own user";
}

}  // namespace

// SETUID, SETGID, KILL: workers with a `user`, and their end. CHOWN, FOWNER, DAC_OVERRIDE: folders and output of such
// workers, and files of the configuration that other users own. NET_BIND_SERVICE: ports below 1024. SYS_PTRACE: which
// worker holds a socket, which process carries our mark. SYS_RESOURCE: limits of descriptors. SETPCAP: the children
// drop their bounding sets.
const Capabilities kMasterCapabilities = capability(CAP_SETUID) | capability(CAP_SETGID) | capability(CAP_KILL) |
                                         capability(CAP_CHOWN) | capability(CAP_FOWNER) | capability(CAP_DAC_OVERRIDE) |
                                         capability(CAP_NET_BIND_SERVICE) | capability(CAP_SYS_PTRACE) |
                                         capability(CAP_SYS_RESOURCE) | capability(CAP_SETPCAP);

void keep_master_capabilities() {
  CapabilitySets sets;
  if (::geteuid() != 0 || ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 || !get_capabilities(sets)) return;
  sets.permitted &= kMasterCapabilities;
  sets.effective &= kMasterCapabilities;
  sets.inheritable &= kMasterCapabilities;
  set_capabilities(sets);
}

void bound_to_own_capabilities() {
  CapabilitySets sets;
  if (get_capabilities(sets)) drop_bounding(sets.permitted);
}

std::string drop_privileges(const std::optional<UserIds>& user, Capabilities kept) {
  CapabilitySets sets;
  if (!get_capabilities(sets)) return failed("read the capabilities");
  drop_bounding(kept);
  if (user) {
    if (auto why = take_on(*user); !why.empty()) return why;
    if (user->uid != 0) sets = {};
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);  // kernels without ambient capabilities refuse
  if (!set_capabilities({sets.permitted & kept, sets.permitted & kept, 0})) return failed("drop capabilities");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("set no_new_privs");
  if (!kSanitized && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return failed("become undumpable");
  return {};
}

}  // namespace gray::master
