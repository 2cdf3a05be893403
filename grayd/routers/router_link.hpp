#pragma once
// The master's end of a router's channel. Never blocks: what the router does not take yet waits here, and a newer table
// replaces one that still waits, so that a router that sleeps costs one table, not a backlog.
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <deque>
#include <functional>

#include "config/base/restored.hpp"
#include "config/shared/channel.hpp"
#include "grayd/process/lifetime.hpp"

namespace gray::master {

class RouterLink {
 public:
  /// Must not destroy the link before they return.
  struct Events {
    std::function<void(ChannelMessage)> message;
    std::function<void()> closed;                        // the other side did; the last event
    std::function<void(const std::string& why)> broken;  // it speaks nonsense; the last event
  };
  RouterLink(asio::io_context& io, UniqueFd channel, Events events);
  /// Without a channel until archive(Load&) has given it, and what still waits to be sent.
  RouterLink(asio::io_context& io, Events events, Restored) : channel_(io), events_(std::move(events)) {}

  void send(ChannelMessage message);
  std::size_t waiting() const { return outbox_.size(); }

  template <class Io>
  void archive(Io& io);

 private:
  void await_readable();
  void read_all();
  void flush();
  void await_writable();
  bool close();

  asio::posix::stream_descriptor channel_;
  Events events_;
  std::deque<ChannelMessage> outbox_;
  bool awaiting_write_ = false;
  bool closed_ = false;
  Lifetime lifetime_;
};

}  // namespace gray::master
