#pragma once
// The master's end of a router's channel. It never blocks: messages that the router does not read yet are queued here,
// and a newer table replaces a queued one, so that a router that does not read costs one table, not a backlog.
#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <deque>

#include "config/base/restored.hpp"
#include "config/shared/channel.hpp"
#include "grayd/process/lifetime.hpp"

namespace gray::master {

class RouterLink {
 public:
  /// Its functions must not destroy the link.
  class Owner {
   public:
    virtual void received(ChannelMessage message) = 0;
    virtual void closed() = 0;                        // the other side closed the channel; the last event
    virtual void broken(const std::string& why) = 0;  // an invalid message, or one that cannot be sent; the last event

   protected:
    ~Owner() = default;
  };
  RouterLink(asio::io_context& io, UniqueFd channel, Owner& owner);
  /// No channel until archive(Load&) has read it, and the queued messages.
  RouterLink(asio::io_context& io, Owner& owner, Restored) : channel_(io), owner_(owner) {}

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
  Owner& owner_;
  std::deque<ChannelMessage> outbox_;
  bool awaiting_write_ = false;
  bool closed_ = false;
  Lifetime lifetime_;
};

}  // namespace gray::master
