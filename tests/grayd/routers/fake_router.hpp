#pragma once
// A router without traffic, started by the code under test: this test program itself, run again as `grayd router ...`.
// GRAY_FAKE_ROUTER names its behaviour. It never returns to the tests.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "config/shared/channel.hpp"
#include "config/shared/segment.hpp"
#include "grayd/routers/router_spawn.hpp"

namespace gray::test {

class FakeRouter {
 public:
  explicit FakeRouter(std::string behaviour) : behaviour_(std::move(behaviour)) {}

  [[noreturn]] void run() {
    if (behaviour_ == "exits") std::_Exit(4);
    if (behaviour_ != "mute") greet();
    for (;;) {
      pollfd channel{master::kChannelFd, POLLIN, 0};
      ::poll(&channel, 1, -1);
      ChannelMessage message;
      std::string error;
      const auto result = receive_message(master::kChannelFd, message, error);
      if (result == ChannelResult::again) continue;
      if (result != ChannelResult::ok) std::_Exit(1);
      on_message(message);
    }
  }

 private:
  using Type = ChannelMessage::Type;

  static void say(Type type, std::uint64_t number = 0) {
    ChannelMessage message;
    message.type = type;
    message.number = number;
    message.layout = segment::kLayout;
    message.ok = true;
    message.detail = "fake";
    if (type == Type::stranger) message.peer = PeerOwner{4711, 0};
    while (send_message(master::kChannelFd, message) == ChannelResult::again) {
      pollfd channel{master::kChannelFd, POLLOUT, 0};
      ::poll(&channel, 1, -1);
    }
  }

  static void complain() {
    ChannelMessage message;
    message.type = Type::unreached;
    message.detail = "web@v1#0: refused";
    send_message(master::kChannelFd, message);
  }

  void greet() const {
    ChannelMessage hello;
    hello.layout = behaviour_ == "alien" ? segment::kLayout + 1 : segment::kLayout;
    send_message(master::kChannelFd, hello);
  }

  void on_message(const ChannelMessage& message) {
    switch (message.type) {
      case Type::table: return on_table(message.number);
      case Type::hello: return note(message.router);
      case Type::probe: return on_probes(message.orders);
      case Type::weigh: return behaviour_ == "silent" ? void() : say(Type::weighed, message.number);
      case Type::listen:
        if (behaviour_ == "ending") ::kill(::getppid(), SIGTERM);
        return;
      case Type::drain:
        if (behaviour_ == "stubborn") return;
        say(Type::drained);
        std::_Exit(0);
      default: return;
    }
  }

  static void on_probes(const std::vector<ProbeOrder>& orders) {
    ChannelMessage probed;
    probed.type = Type::probed;
    for (const ProbeOrder& order : orders) probed.outcomes.push_back({order.id, true, {}, {}});
    send_message(master::kChannelFd, probed);
  }

  /// For a test that asks with which settings the router was started.
  static void note(const RouterSettings& settings) {
    if (const char* path = std::getenv("GRAY_FAKE_ROUTER_NOTE")) std::ofstream(path) << settings.max_connections;
  }

  void on_table(std::uint64_t number) {
    if (behaviour_ == "stuck" && ready_) return;
    say(Type::applied, number);
    if (behaviour_ == "unreaching") return complain();
    if (!std::exchange(ready_, true)) say(Type::ready);
    if (behaviour_ == "unused") say(Type::unused);
    if (behaviour_ == "stranger") say(Type::stranger, 7);
    if (behaviour_ == "young") std::_Exit(3);
  }

  std::string behaviour_;
  bool ready_ = false;
};

/// True in the tests; does not return in a child that was started as a router.
inline bool become_fake_router_if_asked() {
  std::ifstream file("/proc/self/cmdline");
  std::string name, mode;
  std::getline(file, name, '\0');
  std::getline(file, mode, '\0');
  const char* behaviour = std::getenv("GRAY_FAKE_ROUTER");
  if (mode == "router" && behaviour != nullptr) FakeRouter(behaviour).run();
  return true;
}

}  // namespace gray::test
