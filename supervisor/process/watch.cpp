#include "supervisor/process/watch.hpp"

#include <asio/posix/stream_descriptor.hpp>

namespace gray::supervisor {

struct Watch::State {
  State(asio::io_context& io, UniqueFd fd, std::function<void()> callback)
      : descriptor(io, fd.release()), readable(std::move(callback)) {}
  asio::posix::stream_descriptor descriptor;
  std::function<void()> readable;
  bool active = true;
};

Watch::Watch(asio::io_context& io, UniqueFd fd, std::function<void()> readable)
    : state_(std::make_shared<State>(io, std::move(fd), std::move(readable))) {
  wait(state_);
}

Watch& Watch::operator=(Watch&& other) noexcept {
  if (this != &other) {
    close();
    state_ = std::move(other.state_);
  }
  return *this;
}

int Watch::fd() const { return state_ && state_->descriptor.is_open() ? state_->descriptor.native_handle() : -1; }

void Watch::close() {
  if (!state_) return;
  state_->active = false;
  std::error_code ignored;
  state_->descriptor.close(ignored);
}

// The handler of an operation that completed before close() still runs: `active` is false then.
void Watch::wait(std::shared_ptr<State> state) {
  auto& descriptor = state->descriptor;
  descriptor.async_wait(asio::posix::stream_descriptor::wait_read,
                        [state = std::move(state)](std::error_code error) mutable {
                          if (error || !state->active) return;
                          state->readable();
                          if (state->active) wait(std::move(state));
                        });
}

}  // namespace gray::supervisor
