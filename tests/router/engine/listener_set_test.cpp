#include "router/engine/listener_set.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "config/base/unique_fd.hpp"

using namespace gray;
using namespace gray::engine;

namespace {

struct Accepting final : AcceptHandler {
  std::vector<UniqueFd> accepted;
  void on_accept(int fd, const Address&) override { accepted.emplace_back(fd); }
};

struct ListenerSetFixture {
  UniqueFd epoll{epoll_create1(EPOLL_CLOEXEC)};
  UniqueFd listener{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  sockaddr_in address{};
  Accepting handler;
  ListenerSet set{epoll.get(), 0x8000'0000};

  ListenerSetFixture() {
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::listen(listener.get(), 256) == 0);
    REQUIRE(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  }
  UniqueFd dial() const {
    UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    return client;
  }
  bool reported() const {
    epoll_event event{};
    return epoll_wait(epoll.get(), &event, 1, 0) == 1;
  }
};

}  // namespace

TEST_CASE("a turn accepts up to its limit and reports that more may wait") {
  ListenerSetFixture fixture;
  fixture.set.add(fixture.listener.get(), fixture.handler);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(fixture.dial());
  CHECK(fixture.reported());
  CHECK(fixture.set.accept(0) == ListenerSet::Accepted::some);
  CHECK(fixture.handler.accepted.size() == 16);
  CHECK(fixture.set.accept(0) == ListenerSet::Accepted::all);
  CHECK(fixture.handler.accepted.size() == 20);
  CHECK(fixture.set.accept(7) == ListenerSet::Accepted::all);
}

TEST_CASE("without free descriptors connections wait in the backlog and are not refused") {
  ListenerSetFixture fixture;
  fixture.set.add(fixture.listener.get(), fixture.handler);
  const UniqueFd client = fixture.dial();
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = before.rlim_max};
  REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  const auto exhausted = fixture.set.accept(0);
  REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(exhausted == ListenerSet::Accepted::exhausted);
  fixture.set.pause();
  CHECK_FALSE(fixture.reported());
  fixture.set.resume();
  CHECK(fixture.reported());
  CHECK(fixture.set.accept(0) == ListenerSet::Accepted::all);
  CHECK(fixture.handler.accepted.size() == 1);
}

TEST_CASE("finish takes the whole backlog and leaves the socket open for others") {
  ListenerSetFixture fixture;
  fixture.set.add(fixture.listener.get(), fixture.handler);
  std::vector<UniqueFd> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(fixture.dial());
  fixture.set.finish();
  CHECK(fixture.handler.accepted.size() == 50);
  clients.push_back(fixture.dial());
  CHECK_FALSE(fixture.reported());
}
