#include "supervisor/process/notify_socket.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/base/address.hpp"
#include "config/base/time.hpp"
#include "supervisor/process/worker_folder.hpp"

using namespace gray;
using namespace gray::supervisor;

namespace {

/// Until end(), or until every copy of `theirs` is closed, wait() waits.
struct WaitPipe {
  UniqueFd ours, theirs;
  WaitPipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
  }
  void end() { theirs.reset(); }
  void wait() {
    theirs.reset();
    char byte;
    (void)!::read(ours.get(), &byte, 1);
  }
};

struct Notified {
  WorkerFolders folders{"notify-test-" + std::to_string(::getpid())};
  std::optional<WorkerFolder> folder = folders.make(1, {});
  UniqueFd socket = open_notify_socket(folder->notify_path());
  UniqueFd sender{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};

  Notified() {
    REQUIRE(socket);
    sockaddr_storage storage{};
    const socklen_t length = Address::parse("unix:" + folder->notify_path())->to(storage);
    REQUIRE(::connect(sender.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  }
  /// As a socket of this process.
  std::vector<Notice> read(std::size_t most = 10) const {
    return read_notices(socket.get(), most, [](pid_t from) { return from == ::getpid(); });
  }
  bool send(const std::string& text) const {
    return ::send(sender.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
  }
  bool send_with(const std::string& text, int fd) const {
    iovec part{const_cast<char*>(text.data()), text.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    return ::sendmsg(sender.get(), &message, 0) == static_cast<ssize_t>(text.size());
  }
};

}  // namespace

TEST_CASE_FIXTURE(Notified, "datagrams are read in order, at most the requested number") {
  REQUIRE(send("STATUS=one"));
  REQUIRE(send("STATUS=two"));
  REQUIRE(send("READY=1"));
  const auto first = read(2);
  REQUIRE(first.size() == 2);
  CHECK(first[0].status == "one");
  CHECK(first[1].status == "two");
  const auto rest = read();
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].ready);
  CHECK(read().empty());
}

TEST_CASE_FIXTURE(Notified, "a datagram that is too long is dropped, and the next one is read") {
  const std::string largest = "READY=1\n" + std::string(Notice::kBytes - 8, 'x');
  REQUIRE(send(largest + "x"));
  CHECK(read().empty());
  REQUIRE(send(largest));
  REQUIRE(send(""));
  const auto notices = read();
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].ready);
  CHECK_FALSE(notices[1].ready);
}

TEST_CASE_FIXTURE(Notified, "a full queue stalls the sender until it is read") {
  int sent = 0;
  while (sent < 100'000 && send("WATCHDOG=1")) ++sent;
  CHECK(errno == EAGAIN);
  CHECK(read(100'000).size() == static_cast<std::size_t>(sent));
  CHECK(send("READY=1"));
}

TEST_CASE_FIXTURE(Notified, "a passed descriptor is closed at once, so that a barrier passes") {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd ours(ends[0]);
  UniqueFd theirs(ends[1]);
  REQUIRE(send_with("BARRIER=1", theirs.get()));
  theirs.reset();
  pollfd wait{ours.get(), POLLIN, 0};
  CHECK(::poll(&wait, 1, 0) == 0);
  CHECK(read().size() == 1);
  CHECK(::poll(&wait, 1, 0) == 1);
  CHECK((wait.revents & POLLHUP) != 0);
}

TEST_CASE_FIXTURE(Notified, "the pid of the sender decides, not the owner of the socket") {
  WaitPipe go;
  const pid_t child = ::fork();
  if (child == 0) {
    const bool sent = send("READY=1\nSTATUS=from a child");
    go.wait();
    ::_exit(sent ? 0 : 1);
  }
  REQUIRE(child > 0);
  std::vector<Notice> notices;
  const auto sender_of_next = [&](pid_t wanted) {
    for (const TimePoint end = Clock::now() + std::chrono::seconds(5); Clock::now() < end; ::poll(nullptr, 0, 1)) {
      pid_t seen = 0;
      notices = read_notices(socket.get(), 10, [&](pid_t from) { return (seen = from) == wanted; });
      if (seen != 0) return seen;
    }
    return pid_t{0};
  };
  CHECK(sender_of_next(::getpid()) == child);
  CHECK(notices.empty());
  REQUIRE(send("READY=1"));
  CHECK(sender_of_next(::getpid()) == ::getpid());
  CHECK(notices.size() == 1);
  go.end();
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE_FIXTURE(Notified, "a sender that waits for a barrier still exists when its message is checked") {
  WaitPipe barrier;
  const pid_t child = ::fork();
  if (child == 0) {
    bool sent = send("READY=1") && send_with("BARRIER=1", barrier.theirs.get());
    barrier.wait();
    ::_exit(sent ? 0 : 1);
  }
  REQUIRE(child > 0);
  barrier.theirs.reset();
  ::pollfd sent{socket.get(), POLLIN, 0};
  REQUIRE(::poll(&sent, 1, 5'000) == 1);
  bool alive = false;
  std::size_t barriers = 0;
  for (const TimePoint end = Clock::now() + std::chrono::seconds(5); barriers < 2 && Clock::now() < end;) {
    const auto notices = read_notices(socket.get(), 10, [&](pid_t from) {
      siginfo_t info{};
      alive = ::waitid(P_PID, static_cast<id_t>(from), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0;
      return true;
    });
    barriers += notices.size();
  }
  CHECK(barriers == 2);
  CHECK(alive);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}

TEST_CASE("a path that is too long is refused and not cut") {
  CHECK_FALSE(open_notify_socket("/tmp/" + std::string(200, 'x')));
  CHECK(errno == ENAMETOOLONG);
}
