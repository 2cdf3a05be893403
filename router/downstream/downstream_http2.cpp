// A connection that speaks HTTP/2: by ALPN, or because it begins with the preface (prior knowledge, RFC 9113 3.3).
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
  http2_idle_ = false;
  arm(context().tables.current().head_timeout);
  http2_ = std::make_unique<Http2>(static_cast<Http2::Host&>(*this), owner_.http2_shared(), stream_);
  context().shard.outbox.flush();
  if (context().draining) http2_->begin_drain();
}

void Downstream::http2_changed() {
  if (phase_ != Phase::http2 || !http2_ || !http2_->greeted()) return;
  const bool idle = http2_->requests() == 0;
  if (http2_->watches()) {
    if (!timer_.armed() || http2_idle_) arm(ClientWatch::interval(context().rate_window));
  } else if (http2_->draining()) {
    if (!timer_.armed() || http2_idle_) arm(kDrainStep);
  } else if (idle && !http2_idle_) {
    arm(idle_timeout());
  } else if (!idle) {
    engine().timers().disarm(timer_);
  }
  if (idle && !http2_idle_ && context().draining) owner_.settled();
  http2_idle_ = idle;
}

void Downstream::http2_over() { close_gently(); }

void Downstream::on_http2_timer() {
  if (!http2_->greeted()) {
    http2_->end(h2::ErrorCode::no_error, "no SETTINGS came in time");
  } else if (http2_->watches()) {
    http2_->sample();
    if (phase_ == Phase::http2 && http2_->watches()) arm(ClientWatch::interval(context().rate_window));
  } else if (http2_->draining()) {
    http2_->finish_drain();
  } else if (http2_->requests() == 0) {
    http2_->end(h2::ErrorCode::no_error, "the connection was idle");
  }
  context().shard.outbox.flush();
}

void Downstream::retire() {
  if (phase_ == Phase::http2) return http2_->end(h2::ErrorCode::no_error, "the router drains");
  engine().unsent(stream_) > 0 ? close_gently() : close_now();
}

}  // namespace gray::proxy
