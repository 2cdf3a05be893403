#include "control/grayctl/top/live_stream.hpp"

#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "control/live/event_stream.hpp"
#include "control/state/quiet_thread.hpp"

namespace gray::control {

LiveStream::LiveStream(std::string socket)
    : client_(std::move(socket), kSilence), bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!bell_) throw std::system_error(errno, std::generic_category(), "eventfd of the live feed");
  thread_ = quiet_thread([this] { run(); });  // signals are for the thread of the terminal
}

LiveStream::~LiveStream() {
  {
    const std::lock_guard guard(mutex_);
    interrupt_.now();
  }
  ending_.notify_all();
  thread_.join();
}

LiveStream::News LiveStream::take() {
  const std::lock_guard guard(mutex_);
  eventfd_t ignored = 0;
  ::eventfd_read(bell_.get(), &ignored);
  return std::exchange(news_, {});
}

void LiveStream::run() {
  while (!interrupt_.given()) {
    EventStreamReader reader;
    Answer end = client_.follow("live", [&](std::string_view bytes) { return take_bytes(bytes, reader); }, interrupt_);
    if (interrupt_.given()) return;
    if (end.code == ExitCode::usage)  // a grayd that does not know the feed
      end.error = "this grayd is older than grayctl and has no live feed; replace it with \"grayctl upgrade\"";
    tell(std::nullopt, std::move(end));
    std::unique_lock lock(mutex_);
    ending_.wait_for(lock, kRetry, [this] { return interrupt_.given(); });
  }
}

bool LiveStream::take_bytes(std::string_view bytes, EventStreamReader& reader) {
  return reader.read(bytes, [this](std::string_view data) {
    auto picture = nlohmann::json::parse(data, nullptr, false);
    if (picture.is_object()) tell(std::move(picture), {});
  });
}

void LiveStream::tell(std::optional<nlohmann::json> picture, Answer failure) {
  const std::lock_guard guard(mutex_);
  if (picture) news_.picture = std::move(picture);
  news_.failure = std::move(failure);
  ::eventfd_write(bell_.get(), 1);
}

}  // namespace gray::control
