// A connection that speaks HTTP/2: by ALPN, or because it begins with the preface (prior knowledge, RFC 9113 3.3).
#include <utility>

#include "router/downstream/downstream.hpp"

namespace gray::proxy {
namespace {

constexpr Duration kDrainStep{1'000};  // for the answer to the PING behind the first GOAWAY

}  // namespace

/// Whether the bytes are the preface, or its beginning.
bool Downstream::may_be_http2(std::string_view bytes) const {
  return h2::kPreface.starts_with(bytes.substr(0, h2::kPreface.size()));
}

// Until SETTINGS have come, the time for a head counts.
void Downstream::begin_http2() {
  phase_ = Phase::http2;
  arrival_ = {};
  http2_idle_ = http2_greeted_ = false;
  http2_drains_ = {};
  arm(context().tables.current().head_timeout);
  http2_ = std::make_unique<Http2>(static_cast<Http2::Host&>(*this), owner_.http2_shared(), stream_);
  context().shard.outbox.flush();
  if (context().draining) http2_->begin_drain();
}

// The timer is for one of: the next look at clients that are waited for, the second step of a drain, the idle time.
void Downstream::http2_changed() {
  if (phase_ != Phase::http2 || !http2_ || !http2_->greeted()) return;
  if (!std::exchange(http2_greeted_, true)) engine().timers().disarm(timer_);  // it was that of the first SETTINGS
  const bool idle = http2_->requests() == 0;
  const bool begins_drain = http2_->draining() && http2_drains_ == TimePoint{};
  if (begins_drain) http2_drains_ = engine().now();
  const bool served_more = std::exchange(served_, http2_->served()) != http2_->served();
  if (http2_->watches()) {
    if (!timer_.armed() || http2_idle_) arm(ClientWatch::interval(context().rate_window));
  } else if (begins_drain) {
    arm(kDrainStep);
  } else if (http2_->draining() && engine().now() - http2_drains_ < kDrainStep) {
    if (!timer_.armed()) arm(kDrainStep);
  } else if (idle && (!http2_idle_ || served_more)) {
    arm(idle_timeout());
  } else if (!idle) {
    engine().timers().disarm(timer_);
  }
  if (idle && !http2_idle_ && context().draining) owner_.settled();
  http2_idle_ = idle;
}

void Downstream::http2_over() { close_gently(); }

void Downstream::on_http2_timer() {
  const bool drain_is_due =
      http2_->draining() && http2_drains_ != TimePoint{} && engine().now() - http2_drains_ >= kDrainStep;
  if (drain_is_due) http2_->finish_drain();
  if (phase_ != Phase::http2) return context().shard.outbox.flush();
  if (!http2_->greeted()) {
    http2_->end(h2::ErrorCode::no_error, "no SETTINGS came in time");
  } else if (http2_->watches()) {
    http2_->sample();
    if (phase_ == Phase::http2 && http2_->watches()) arm(ClientWatch::interval(context().rate_window));
  } else if (http2_->requests() == 0 && !http2_->draining()) {
    http2_->end(h2::ErrorCode::no_error, "the connection was idle");
  }
  context().shard.outbox.flush();
}

void Downstream::retire() {
  if (phase_ == Phase::http2) return http2_->end(h2::ErrorCode::no_error, "the router drains");
  engine().unsent(stream_) > 0 ? close_gently() : close_now();
}

}  // namespace gray::proxy
