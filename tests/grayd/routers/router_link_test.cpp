#include "grayd/routers/router_link.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <optional>

using namespace gray;
using namespace gray::master;

namespace {

using Type = ChannelMessage::Type;

ChannelMessage message_of(Type type, std::uint64_t number = 0) {
  ChannelMessage message;
  message.type = type;
  message.number = number;
  if (type == Type::table) message.fd = sealed_memfd("test", "{}");
  return message;
}

struct RouterLinkFixture : RouterLink::Owner {
  asio::io_context io;
  UniqueFd peer;
  std::vector<ChannelMessage> messages;
  int closes = 0;
  std::string why_broken;
  std::optional<RouterLink> link;

  RouterLinkFixture() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
    peer.reset(ends[1]);
    link.emplace(io, UniqueFd(ends[0]), owner());
  }
  RouterLink::Owner& owner() { return *this; }
  void received(ChannelMessage message) override { messages.push_back(std::move(message)); }
  void closed() override { ++closes; }
  void broken(const std::string& why) override { why_broken = why; }
  void turn() {
    io.restart();
    io.run_for(Duration{20});
  }
  /// Everything that the peer can read now.
  std::vector<ChannelMessage> read_all() {
    std::vector<ChannelMessage> sent;
    std::string error;
    for (ChannelMessage message; receive_message(peer.get(), message, error) == ChannelResult::ok;) {
      sent.push_back(std::move(message));
      message = {};
    }
    return sent;
  }
};

}  // namespace

TEST_CASE_FIXTURE(RouterLinkFixture, "messages go both ways, in order") {
  link->send(message_of(Type::listen));
  link->send(message_of(Type::drain));
  const auto sent = read_all();
  REQUIRE(sent.size() == 2);
  CHECK(sent[0].type == Type::listen);
  CHECK(sent[1].type == Type::drain);
  send_message(peer.get(), message_of(Type::applied, 1));
  send_message(peer.get(), message_of(Type::ready));
  turn();
  REQUIRE(messages.size() == 2);
  CHECK(messages[0].number == 1);
  CHECK(messages[1].type == Type::ready);
}

TEST_CASE_FIXTURE(RouterLinkFixture, "tables for a router that does not read are coalesced, other messages are kept") {
  std::uint64_t number = 0;
  while (link->waiting() == 0) link->send(message_of(Type::weigh, ++number));
  for (int i = 0; i < 1000; ++i) link->send(message_of(Type::table, ++number));
  CHECK(link->waiting() == 2);
  std::vector<std::uint64_t> numbers;
  while (numbers.empty() || numbers.back() != number) {
    for (const auto& message : read_all()) numbers.push_back(message.number);
    turn();
  }
  CHECK(link->waiting() == 0);
  CHECK(numbers.size() == number - 999);
}

TEST_CASE_FIXTURE(RouterLinkFixture, "closed() is called once, after the last messages") {
  send_message(peer.get(), message_of(Type::drained));
  peer.reset();
  turn();
  turn();
  REQUIRE(messages.size() == 1);
  CHECK(messages[0].type == Type::drained);
  CHECK(closes == 1);
  link->send(message_of(Type::listen));
  CHECK(closes == 1);
}

TEST_CASE_FIXTURE(RouterLinkFixture, "an invalid message is reported with the error") {
  REQUIRE(::send(peer.get(), "{}", 2, 0) == 2);
  turn();
  CHECK(why_broken.starts_with("it sent an invalid message: "));
  CHECK(closes == 0);
}

TEST_CASE_FIXTURE(RouterLinkFixture, "a destroyed link gets no callbacks") {
  send_message(peer.get(), message_of(Type::ready));
  link.reset();
  turn();
  CHECK(messages.empty());
}
