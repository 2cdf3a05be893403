#include "supervisor/process/credentials.hpp"

#include <grp.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace gray::supervisor {
namespace {

constexpr int kMostGroups = 65'536;  // NGROUPS_MAX of the kernel

std::vector<gid_t> groups_of(const passwd& user) {
  std::vector<gid_t> groups(32);
  auto count = static_cast<int>(groups.size());
  if (::getgrouplist(user.pw_name, user.pw_gid, groups.data(), &count) < 0) {
    if (count > kMostGroups) count = kMostGroups;
    groups.resize(static_cast<std::size_t>(count));
    if (::getgrouplist(user.pw_name, user.pw_gid, groups.data(), &count) < 0) return {user.pw_gid};
  }
  groups.resize(static_cast<std::size_t>(count));
  return groups;
}

}  // namespace

std::optional<Credentials> find_user(const std::string& name) {
  std::array<char, 16 * 1024> text;
  passwd user{};
  passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &user, text.data(), text.size(), &found) != 0 || !found) return std::nullopt;
  const std::string shell = *user.pw_shell != '\0' ? user.pw_shell : "/bin/sh";  // passwd(5)
  return Credentials{user.pw_uid, user.pw_gid, groups_of(user), user.pw_name, user.pw_dir, shell};
}

std::string describe_user(uid_t uid) {
  std::array<char, 16 * 1024> text;
  passwd user{};
  passwd* found = nullptr;
  std::string number = "uid " + std::to_string(uid);
  if (::getpwuid_r(uid, &user, text.data(), text.size(), &found) != 0 || !found) return number;
  return "user " + std::string(user.pw_name) + " (" + number + ")";
}

bool may_change_user() { return ::geteuid() == 0; }

// System calls directly: the functions of the C library change all threads, and take a lock for that.
int take_on(const Credentials& credentials) {
  const uid_t uid = credentials.uid;
  const gid_t gid = credentials.gid;
  if (::syscall(SYS_setgroups, credentials.groups.size(), credentials.groups.data()) != 0) return errno;
  if (::syscall(SYS_setresgid, gid, gid, gid) != 0) return errno;
  if (::syscall(SYS_setresuid, uid, uid, uid) != 0) return errno;
  return 0;
}

}  // namespace gray::supervisor
