#include "grayd/publication.hpp"

#include <asio/post.hpp>
#include <utility>

#include "control/traffic/serving.hpp"

namespace gray::master {

void Publication::soon() {
  if (std::exchange(pending_, true)) return;
  if (Clock::now() >= next_) return asio::post(to_.io, lifetime_.guard([this] { flush(); }));
  timer_.expires_at(next_);
  timer_.async_wait(lifetime_.guard([this](std::error_code error) {
    if (!error) flush();
  }));
}

void Publication::now() {
  pending_ = false;
  const TimePoint begin = Clock::now();
  const auto views = to_.supervisor.view();
  to_.publisher.publish(views);
  release_rows(views);
  to_.listener.published(views);
  next_ = next_after(begin, Clock::now());
}

/// A version that was removed keeps its row until its last worker is gone.
void Publication::release_rows(const std::vector<VersionView>& views) {
  to_.rows.keep([&](const std::string& service, const std::string& version) {
    const auto* configured = to_.settings.service(service);
    return (configured != nullptr && configured->version(version) != nullptr) ||
           control::view_of(views, service, version) != nullptr;
  });
}

}  // namespace gray::master
