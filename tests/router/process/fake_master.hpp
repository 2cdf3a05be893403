#pragma once
// The master's end of a router's channel: sends what a test wants, and waits for the answers.
#include <doctest/doctest.h>
#include <poll.h>

#include <utility>

#include "config/shared/channel.hpp"
#include "config/shared/segment.hpp"
#include "router/process/router_main.hpp"
#include "tests/router/process/rig.hpp"

namespace gray::test {

class FakeMaster {
 public:
  using Type = ChannelMessage::Type;

  FakeMaster() {
    int fds[2];
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == 0);
    channel_.reset(fds[0]);
    routers_.reset(fds[1]);
    listener.listen();
    proxied.listen();
  }

  proxy::Inheritance inheritance() {
    proxy::Inheritance inherited;
    inherited.channel = std::move(routers_);
    inherited.segment = UniqueFd(::dup(segment.fd()));
    inherited.freed = UniqueFd(::dup(segment.freed()));
    inherited.listeners.emplace_back(::dup(listener.fd()));
    inherited.proxied.emplace_back(::dup(proxied.fd()));
    return inherited;
  }
  static ChannelMessage hello(std::uint32_t threads = 2) {
    ChannelMessage message;
    message.router_slot = 1;
    message.memory_budget = 32 << 20;
    message.router.threads = threads;
    return message;
  }
  void send(const ChannelMessage& message) const { CHECK(send_message(channel_.get(), message) == ChannelResult::ok); }
  void send(Type type) const {
    ChannelMessage message;
    message.type = type;
    send(message);
  }
  void say_table(const Plan& plan) const {
    ChannelMessage message;
    message.type = Type::table;
    message.number = plan.number;
    message.fd = sealed_memfd("table", to_json_text(*table_of(plan)));
    send(message);
  }
  /// The next message of that type; others before it are dropped. Null, and a failed check, if none comes.
  std::optional<ChannelMessage> expect(Type type) {
    while (true) {
      pollfd watched{channel_.get(), POLLIN, 0};
      ChannelMessage message;
      std::string error;
      const bool there = ::poll(&watched, 1, static_cast<int>(kTimeout.count())) == 1;
      const bool read = there && receive_message(channel_.get(), message, error) == ChannelResult::ok;
      CHECK_MESSAGE(read, "the router said nothing more: " << error);
      if (!read) return std::nullopt;
      if (message.type == type) return message;
    }
  }
  void die() { channel_.reset(); }

  segment::Segment segment = segment::Segment::create();
  Listener listener{SOCK_NONBLOCK};
  Listener proxied{SOCK_NONBLOCK};  // connections there begin with a PROXY header

 private:
  UniqueFd channel_, routers_;
};

}  // namespace gray::test
