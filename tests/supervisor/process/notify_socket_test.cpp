#include "supervisor/process/notify_socket.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/base/address.hpp"
#include "supervisor/process/worker_folder.hpp"

using namespace gray;
using namespace gray::supervisor;

namespace {

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
  const auto first = read_notices(socket.get(), 2);
  REQUIRE(first.size() == 2);
  CHECK(first[0].status == "one");
  CHECK(first[1].status == "two");
  const auto rest = read_notices(socket.get(), 10);
  REQUIRE(rest.size() == 1);
  CHECK(rest[0].ready);
  CHECK(read_notices(socket.get(), 10).empty());
}

TEST_CASE_FIXTURE(Notified, "a datagram that is too long is dropped, and the next one is read") {
  const std::string largest = "READY=1\n" + std::string(Notice::kBytes - 8, 'x');
  REQUIRE(send(largest + "x"));
  CHECK(read_notices(socket.get(), 10).empty());
  REQUIRE(send(largest));
  REQUIRE(send(""));
  const auto notices = read_notices(socket.get(), 10);
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].ready);
  CHECK_FALSE(notices[1].ready);
}

TEST_CASE_FIXTURE(Notified, "a full queue stalls the sender until it is read") {
  int sent = 0;
  while (sent < 100'000 && send("WATCHDOG=1")) ++sent;
  CHECK(errno == EAGAIN);
  CHECK(read_notices(socket.get(), 100'000).size() == static_cast<std::size_t>(sent));
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
  CHECK(read_notices(socket.get(), 10).size() == 1);
  CHECK(::poll(&wait, 1, 0) == 1);
  CHECK((wait.revents & POLLHUP) != 0);
}

TEST_CASE("a path that is too long is refused and not cut") {
  CHECK_FALSE(open_notify_socket("/tmp/" + std::string(200, 'x')));
  CHECK(errno == ENAMETOOLONG);
}
