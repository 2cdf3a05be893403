#include "grayd/control_endpoints.hpp"

#include <utility>

namespace gray::master {

void ControlEndpoints::open() {
  if (std::exchange(open_, true)) return;
  drop();
  feed_.emplace(daemon_, settings_.page_may_write, ended_);
  admin_.emplace(holdings_.admin.get(), daemon_, ended_, &*feed_);
  for (const int socket : holdings_.metrics.fds()) metrics_.emplace(socket, daemon_, ended_);
  for (const int socket : holdings_.dashboard.fds())
    dashboard_.emplace(socket, daemon_, *feed_, settings_.page_may_write, ended_);
}

void ControlEndpoints::close() {
  open_ = false;
  if (feed_) feed_->end();
  if (admin_) admin_->end();
  if (metrics_) metrics_->end();
  if (dashboard_) dashboard_->end();
}

bool ControlEndpoints::empty() const {
  const auto gone = [](const auto& endpoint) { return !endpoint || endpoint->ended(); };
  return !open_ && gone(feed_) && gone(admin_) && gone(metrics_) && gone(dashboard_);
}

void ControlEndpoints::remove() {
  open_ = false;
  drop();
}

void ControlEndpoints::drop() {
  dashboard_.reset();
  metrics_.reset();
  admin_.reset();
  feed_.reset();
}

}  // namespace gray::master
