#include "router/process/router_main.hpp"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <exception>
#include <new>
#include <optional>
#include <string>

#include "config/base/log.hpp"
#include "config/shared/channel.hpp"
#include "router/process/router.hpp"

namespace gray::proxy {
namespace {

constexpr int kHelloMs = 10'000;  // the master sends hello at once; later means that it hangs

void say_hello(int channel) {
  ChannelMessage hello;
  hello.type = ChannelMessage::Type::hello;
  hello.layout = segment::kLayout;
  (void)send_message(channel, hello);
}

std::optional<ChannelMessage> await_hello(int channel) {
  pollfd watched{channel, POLLIN, 0};
  ChannelMessage message;
  std::string error = "it did not arrive in time";
  const auto result =
      ::poll(&watched, 1, kHelloMs) == 1 ? receive_message(channel, message, error) : ChannelResult::again;
  if (result == ChannelResult::ok && message.type == ChannelMessage::Type::hello) {
    if (message.protocol == kChannelProtocol && message.router_slot < segment::kRouterSlots) return message;
    error = "its protocol is " + std::to_string(message.protocol) + ", ours is " + std::to_string(kChannelProtocol);
  }
  log(LogLevel::error, "router: no hello from the master: " + error);
  return std::nullopt;
}

}  // namespace

int run_router(Inheritance inheritance) try {
  ::signal(SIGPIPE, SIG_IGN);
  std::string error;
  auto segment = segment::Segment::attach(std::move(inheritance.segment), error, std::move(inheritance.freed));
  if (!segment) {
    log(LogLevel::error, "router: the shared segment has a different layout: " + error);
    return 1;
  }
  say_hello(inheritance.channel.get());
  const auto hello = await_hello(inheritance.channel.get());
  if (!hello) return 1;
  Router router(std::move(inheritance), std::move(*segment), *hello);
  return router.run();
} catch (const std::bad_alloc&) {
  log(LogLevel::error, "router: out of memory");
  return 1;
} catch (const std::exception& error) {
  log(LogLevel::error, std::string("router: ") + error.what());
  return 1;
}

}  // namespace gray::proxy
