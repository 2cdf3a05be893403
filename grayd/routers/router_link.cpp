#include "grayd/routers/router_link.hpp"

#include <algorithm>

#include "config/base/archive.hpp"

namespace gray::master {

RouterLink::RouterLink(asio::io_context& io, UniqueFd channel, Owner& owner)
    : channel_(io, channel.release()), owner_(owner) {
  await_readable();
}

void RouterLink::send(ChannelMessage message) {
  if (closed_) return;
  if (message.type == ChannelMessage::Type::table) {
    std::erase_if(outbox_, [](const ChannelMessage& old) { return old.type == ChannelMessage::Type::table; });
  }
  if (message.type == ChannelMessage::Type::secrets) {
    std::erase_if(outbox_, [](const ChannelMessage& old) { return old.type == ChannelMessage::Type::secrets; });
  }
  outbox_.push_back(std::move(message));
  flush();
}

void RouterLink::flush() {
  while (!outbox_.empty() && !closed_) {
    switch (send_message(channel_.native_handle(), outbox_.front())) {
      case ChannelResult::ok: outbox_.pop_front(); break;
      case ChannelResult::again: return await_writable();
      case ChannelResult::closed: return close() ? owner_.closed() : void();
      case ChannelResult::invalid: return close() ? owner_.broken("a message to it cannot be sent") : void();
    }
  }
}

void RouterLink::await_writable() {
  if (awaiting_write_) return;
  awaiting_write_ = true;
  channel_.async_wait(asio::posix::stream_descriptor::wait_write, lifetime_.guard([this](std::error_code error) {
    awaiting_write_ = false;
    if (!error) flush();
  }));
}

void RouterLink::await_readable() {
  channel_.async_wait(asio::posix::stream_descriptor::wait_read, lifetime_.guard([this](std::error_code error) {
    if (!error) read_all();
  }));
}

void RouterLink::read_all() {
  while (!closed_) {
    ChannelMessage message;
    std::string error;
    switch (receive_message(channel_.native_handle(), message, error)) {
      case ChannelResult::ok: owner_.received(std::move(message)); break;
      case ChannelResult::again: return await_readable();
      case ChannelResult::closed: return close() ? owner_.closed() : void();
      case ChannelResult::invalid: return close() ? owner_.broken("it sent an invalid message: " + error) : void();
    }
  }
}

/// The first wait sees data that arrived during the exec; the outbox is sent when the channel is writable.
template <class Io>
void RouterLink::archive(Io& io) {
  io("outbox", outbox_);
  io("closed", closed_);
  if constexpr (Io::kLoads) {
    const int channel = io.fd("channel");
    if (closed_ || channel < 0) return;
    channel_.assign(channel);
    await_readable();
    if (!outbox_.empty()) await_writable();
  } else {
    io.fd("channel", closed_ ? -1 : channel_.native_handle());
  }
}
template void RouterLink::archive(Save&);
template void RouterLink::archive(Load&);

/// False if it was closed already.
bool RouterLink::close() {
  if (closed_) return false;
  closed_ = true;
  channel_.close();
  return true;
}

}  // namespace gray::master
