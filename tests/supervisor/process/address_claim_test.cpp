#include "supervisor/process/address_claim.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "supervisor/process/port.hpp"
#include "supervisor/process/worker_folder.hpp"
#include "tests/supervisor/process/listening.hpp"
#include "tests/support/other_user.hpp"

using namespace gray;
using namespace gray::supervisor;
using namespace gray::supervisor::test;
using gray::test::kOtherUser;
using gray::test::OtherUser;
using Owner = Listener::Owner;

namespace {

/// A process that is neither a descendant of this one nor in its session. Ends with the object.
class Detached {
 public:
  Detached() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    const UniqueFd ours(ends[0]), theirs(ends[1]);
    int adopts = 0;  // orphans, if an earlier test asked for that
    REQUIRE(::prctl(PR_GET_CHILD_SUBREAPER, &adopts) == 0);
    REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 0) == 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
      ::setsid();
      const pid_t pid = ::fork();
      while (pid == 0) ::pause();
      ::_exit(::write(ends[1], &pid, sizeof pid) == sizeof pid ? 0 : 1);
    }
    REQUIRE(::waitpid(parent, nullptr, 0) == parent);
    REQUIRE(::read(ends[0], &pid_, sizeof pid_) == sizeof pid_);
    REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, adopts) == 0);
  }
  ~Detached() { ::kill(pid_, SIGKILL); }
  Detached(const Detached&) = delete;
  Detached& operator=(const Detached&) = delete;

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
};

struct Claimed {
  PeerOwners kernel;
  AddressClaim claim{::geteuid(), false};
  ProcessScan scan;
  Containment self{::getsid(0), std::nullopt, "no-instance", 1, scan};  // this process is the worker
  Containment other{0x3fffffff, std::nullopt, "no-instance", 1, scan};  // it is not
  WorkerFolders folders{"claim-test-" + std::to_string(::getpid())};
  std::optional<WorkerFolder> folder = folders.make(1, {});
  Address path = *Address::parse("unix:" + folder->listen_path());

  Owner check(const Address& address, const Containment& worker, std::optional<PeerOwner> peer = {}) {
    return claim.check(peer, address, worker, kernel).owner;
  }
};

}  // namespace

TEST_CASE_FIXTURE(Claimed,
                  "a verified listener at a port is remembered by its inode, and a new one is verified again") {
  Address address = *Address::parse("127.0.0.1:0");
  address.port = Port::reserve()->number();
  CHECK(check(address, self) == Owner::none);
  {
    const UniqueFd first = listen_on(address);
    CHECK(check(address, other) == Owner::stranger);
    CHECK(check(address, self) == Owner::worker);
    CHECK(check(address, other) == Owner::worker);  // the same inode: nothing is searched
    without_netlink([&] {
      const PeerOwners none;
      CHECK(claim.check({}, address, other, none).owner == Owner::worker);
    });
  }
  CHECK(check(address, self) == Owner::none);
  const UniqueFd second = listen_on(address);
  CHECK(check(address, other) == Owner::stranger);
  CHECK(check(address, self) == Owner::worker);
}

TEST_CASE_FIXTURE(Claimed, "without netlink a changed listener is found in the kernel's tables") {
  without_netlink([&] {
    const PeerOwners none;
    Address address = *Address::parse("127.0.0.1:0");
    address.port = Port::reserve()->number();
    UniqueFd socket = listen_on(address);
    CHECK(claim.check({}, address, self, none).owner == Owner::worker);
    socket.reset();
    socket = listen_on(address);
    CHECK(claim.check({}, address, other, none).owner == Owner::stranger);
    CHECK(claim.check({}, address, self, none).owner == Owner::worker);
  });
}

TEST_CASE_FIXTURE(Claimed,
                  "behind a unix path the process of the very connection is checked, wherever the path leads") {
  const UniqueFd own = listen_on(path);
  const Detached stranger_process;
  const PeerOwner stranger_owner{::geteuid(), stranger_process.pid()};
  CHECK(check(path, self, PeerOwner{::geteuid(), ::getpid()}) == Owner::worker);
  CHECK(check(path, other, PeerOwner{::geteuid(), ::getpid()}) == Owner::worker);  // remembered
  CHECK(check(path, self, stranger_owner) == Owner::stranger);  // although its own socket is at the path
  const Listener stranger = claim.check(stranger_owner, path, self, kernel);
  CHECK(stranger.complaint.starts_with(path.text() + " is answered by pid " + std::to_string(stranger_process.pid()) +
                                       " ("));
  CHECK(stranger.complaint.ends_with("), not by this worker; stop that program"));
}

TEST_CASE_FIXTURE(Claimed, "a process that listened at a unix path and has ended is no proof: the path decides") {
  const UniqueFd own = listen_on(path);
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  REQUIRE(::waitpid(gone, nullptr, 0) == gone);
  CHECK(check(path, self, PeerOwner{::geteuid(), gone}) == Owner::worker);
  CHECK(AddressClaim(0, false).check(PeerOwner{0, gone}, path, other, kernel).owner == Owner::stranger);
}

TEST_CASE_FIXTURE(Claimed, "what is at a path and cannot be connected to is judged by what can be seen of it") {
  CHECK(claim.check_path(path).owner == Owner::none);
  const UniqueFd own = listen_on(path);
  CHECK(claim.check_path(path).owner == Owner::none);
  const std::string elsewhere = path.path + ".own";
  REQUIRE(std::rename(path.path.c_str(), elsewhere.c_str()) == 0);
  REQUIRE(::symlink(elsewhere.c_str(), path.path.c_str()) == 0);
  const Listener link = claim.check_path(path);
  CHECK(link.owner == Owner::stranger);
  CHECK(link.complaint.find(path.text() + " is a symbolic link; expected a socket of ") == 0);
  CHECK(AddressClaim(::geteuid(), true).check_path(path).owner == Owner::none);
  CHECK(claim.check_path(*Address::parse("127.0.0.1:1")).owner == Owner::none);
  if (::geteuid() != 0) return;  // only root may give files away
  REQUIRE(std::remove(path.path.c_str()) == 0);
  REQUIRE(std::rename(elsewhere.c_str(), path.path.c_str()) == 0);
  REQUIRE(::chown(path.path.c_str(), kOtherUser, static_cast<gid_t>(-1)) == 0);
  CHECK(claim.check_path(path).complaint ==
        path.text() +
            " belongs to user nobody (uid 65534); expected a socket of user root (uid 0); restart the worker "
            "to give it a new address");
  CHECK(AddressClaim(kOtherUser, false).check_path(path).owner == Owner::none);
}

TEST_CASE_FIXTURE(Claimed, "an inherited socket needs no check, and its owner never changes") {
  AddressClaim inherited(::geteuid(), true);
  CHECK(inherited.check({}, path, other, kernel).owner == Owner::worker);
  CHECK_FALSE(inherited.changed_user({4711, ::getpid()}, path, self, kernel));
  CHECK(inherited.owner() == ::geteuid());
}

TEST_CASE_FIXTURE(Claimed, "a worker that changed its user itself is accepted as that user, a stranger is not") {
  if (::geteuid() != 0) return;  // only root may start processes of different users
  Address port = *Address::parse("127.0.0.1:0");
  port.port = Port::reserve()->number();
  const OtherUser at_port(port), at_path(path);
  const PeerOwner by_port{kOtherUser, 0}, by_path{kOtherUser, at_path.pid()};
  CHECK_FALSE(claim.changed_user(by_port, port, other, kernel));
  CHECK_FALSE(claim.changed_user({kOtherUser - 1, 0}, port, self, kernel));  // not the owner of the socket there
  CHECK_FALSE(claim.changed_user(by_path, path, other, kernel));
  CHECK_FALSE(claim.changed_user({kOtherUser, Detached().pid()}, path, self, kernel));
  CHECK(claim.owner() == 0);
  CHECK(claim.complaint(by_port, port) == port.text() + " is answered by user nobody (uid 65534), pid " +
                                              std::to_string(at_port.pid()) +
                                              " (supervisor_test); expected user root (uid 0); stop that program, or "
                                              "restart the worker to give it a new address");
  CHECK(claim.complaint(by_path, path).find("user nobody (uid 65534), pid " + std::to_string(at_path.pid()) + " (") !=
        std::string::npos);
  CHECK(claim.changed_user(by_port, port, self, kernel));
  CHECK(claim.owner() == kOtherUser);
  AddressClaim second(0, false);
  CHECK(second.changed_user(by_path, path, self, kernel));
  CHECK(second.owner() == kOtherUser);
}
