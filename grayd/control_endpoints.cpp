#include "grayd/control_endpoints.hpp"

#include <utility>

namespace gray::master {

void ControlEndpoints::open() {
  if (std::exchange(open_, true)) return;
  admin_.emplace(holdings_.admin.get(), daemon_, ended_);
  for (const int socket : holdings_.metrics.fds()) metrics_.emplace(socket, daemon_, ended_);
}

void ControlEndpoints::close() {
  open_ = false;
  if (admin_) admin_->end();
  if (metrics_) metrics_->end();
}

bool ControlEndpoints::empty() const {
  return !open_ && (!admin_ || admin_->ended()) && (!metrics_ || metrics_->ended());
}

void ControlEndpoints::remove() {
  open_ = false;
  admin_.reset();
  metrics_.reset();
}

}  // namespace gray::master
