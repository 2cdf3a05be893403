#include "control/api/live_feed.hpp"

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <utility>

#include "control/api/live_sampler.hpp"
#include "control/live/event_stream.hpp"
#include "control/state/quiet_thread.hpp"

namespace gray::control {

/// On the thread of the feed, except for `io`.
struct LiveFeed::Impl {
  Impl(Daemon& daemon, bool writable, Watchers::Limits limits)
      : watchers(io, limits, [this] { pause(); }),
        sampler(io, daemon, writable, [this](const std::string& text) { show(text); }) {}

  void add(UniqueFd connection, Watchers::Place place) {
    watchers.add(std::move(connection), std::move(place), newest);
    if (!watchers.empty()) sampler.start();
  }
  void show(const std::string& text) {
    newest = std::make_shared<const std::string>(event_text(++number, text));
    watchers.show(newest);
  }
  /// Nobody watches: what the next one gets must be new.
  void pause() {
    sampler.stop();
    newest.reset();
  }
  void end() {
    watchers.close_all();
    pause();
    work.reset();
    io.stop();
  }

  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work = asio::make_work_guard(io);
  Watchers::Text newest;
  std::uint64_t number = 0;
  Watchers watchers;
  LiveSampler sampler;
};

LiveFeed::LiveFeed(Daemon& daemon, bool writable, std::function<void()> ended, Watchers::Limits limits)
    : impl_(std::make_unique<Impl>(daemon, writable, limits)) {
  thread_ = quiet_thread([this, ended = std::move(ended)] {
    impl_->io.run();
    ended_ = true;
    ended();
  });
}

LiveFeed::~LiveFeed() {
  end();
  thread_.join();
}

Watchers::Place LiveFeed::take(Entrance entrance) {
  if (ending_) return nullptr;
  auto place = std::make_shared<Seats::Taken>(entrance == Entrance::admin ? admin_ : page_);
  return *place ? place : nullptr;
}

void LiveFeed::add(UniqueFd connection, Watchers::Place place) {
  asio::post(impl_->io, [this, held = std::make_shared<UniqueFd>(std::move(connection)), place = std::move(place)] {
    if (!ending_) impl_->add(std::move(*held), place);
  });
}

void LiveFeed::end() {
  if (ending_.exchange(true)) return;
  asio::post(impl_->io, [this] { impl_->end(); });
}

}  // namespace gray::control
