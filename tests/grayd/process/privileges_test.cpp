// Each case is a child that gives up its privileges and then tries what a program that took it over would try.
#include "grayd/process/privileges.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <map>
#include <string>

#include "config/base/sanitized.hpp"
#include "tests/grayd/process/in_child.hpp"

using namespace gray;
using namespace gray::master;

namespace {

constexpr UserIds kStranger{65'534, 65'534};

std::map<std::string, std::string> own_status() {
  std::map<std::string, std::string> fields;
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    const auto value = line.find_first_not_of(" \t", colon + 1);
    fields[line.substr(0, colon)] = value == std::string::npos ? "" : line.substr(value);
  }
  return fields;
}

Capabilities set_in(const std::map<std::string, std::string>& status, const char* name) {
  return std::stoull(status.at(name), nullptr, 16);
}

}  // namespace

TEST_CASE("after the drop no set has a capability, and none can come back") {
  const bool root = ::geteuid() == 0;
  CHECK(test::in_child([root] {
          const auto user = root ? std::optional(kStranger) : std::nullopt;
          if (!drop_privileges(user, 0).empty()) return 1;
          const auto status = own_status();
          for (const auto* name : {"CapEff", "CapPrm", "CapInh", "CapAmb"})
            if (set_in(status, name) != 0) return 2;
          if (root &&
              (set_in(status, "CapBnd") != 0 || status.at("Groups").find_first_not_of(" ") != std::string::npos))
            return 3;
          if (root && status.at("Uid") != "65534\t65534\t65534\t65534") return 4;
          if (root && status.at("Gid") != "65534\t65534\t65534\t65534") return 5;
          if (status.at("NoNewPrivs") != "1") return 6;
          if (!kSanitized && ::prctl(PR_GET_DUMPABLE) != 0) return 7;
          return 0;
        }) == 0);
}

TEST_CASE("as another user, root's files, processes and ids are out of reach") {
  if (::geteuid() != 0) return;
  const pid_t parent = ::getpid();
  CHECK(test::in_child([parent] {
          if (!drop_privileges(kStranger, 0).empty()) return 1;
          if (::open("/etc/shadow", O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES) return 2;
          if (::setuid(0) == 0 || ::setgid(0) == 0) return 3;
          if (::kill(parent, 0) == 0 || errno != EPERM) return 4;
          if (::ptrace(PTRACE_ATTACH, parent, nullptr, nullptr) == 0) return 5;
          return 0;
        }) == 0);
}

TEST_CASE("the guard may still signal other users' processes, and nothing else") {
  if (::geteuid() != 0) return;
  const pid_t other = ::fork();
  if (other == 0) {
    ::syscall(SYS_setresuid, 12'345, 12'345, 12'345);
    for (;;) ::pause();
  }
  CHECK(test::in_child([other] {
          if (!drop_privileges(std::nullopt, capability(CAP_KILL)).empty()) return 1;
          const auto status = own_status();
          for (const auto* name : {"CapEff", "CapPrm", "CapBnd"})
            if (set_in(status, name) != capability(CAP_KILL)) return 2;
          return ::kill(other, SIGKILL) == 0 ? 0 : 3;
        }) == 0);
  int status = 0;
  ::kill(other, SIGKILL);
  ::waitpid(other, &status, 0);
  CHECK(WIFSIGNALED(status));
}

TEST_CASE("a router or guard that the master executes has no more capabilities than the master") {
  if (::geteuid() != 0) return;
  CHECK(test::in_child([] {
          keep_master_capabilities();
          const auto own = own_status();
          bound_to_own_capabilities();
          const std::string check = "grep -q 'CapPrm.*" + own.at("CapPrm") + "' /proc/self/status";
          ::execl("/bin/sh", "sh", "-c", check.c_str(), nullptr);
          return 3;
        }) == 0);
}

TEST_CASE("the master keeps what it needs, and a program that it executes as root has everything again") {
  if (::geteuid() != 0) return;
  CHECK(test::in_child([] {
          const auto before = own_status();
          keep_master_capabilities();
          const auto after = own_status();
          for (const auto* name : {"CapEff", "CapPrm"})
            if (set_in(after, name) != (set_in(before, name) & kMasterCapabilities)) return 1;
          if (after.at("CapBnd") != before.at("CapBnd") || after.at("NoNewPrivs") != "0") return 2;
          const std::string check = "grep -q 'CapEff.*" + before.at("CapBnd") + "' /proc/self/status";
          ::execl("/bin/sh", "sh", "-c", check.c_str(), nullptr);
          return 3;
        }) == 0);
}
