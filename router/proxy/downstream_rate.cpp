// How quick the client is: it is looked at while it is waited for, and cut when it is slower than min_rate allows.
#include <algorithm>
#include <utility>

#include "router/proxy/downstream.hpp"

namespace gray::proxy {
namespace {

constexpr int kLooksPerWindow = 30;
constexpr http::Fault kSlowBody{408, "P8", "the request body comes more slowly than min_rate", 0};
constexpr http::Fault kSlowReader{408, "P8", "the answer is taken more slowly than min_rate", 0};

}  // namespace

void Downstream::watch() {
  if (watch_ == Watch::on) return;
  if (watch_ == Watch::none) rate_ = {};
  watch_ = Watch::on;
  look();
}

// A client is waited for when the kernel takes no more for it. What it has taken is known more finely: the kernel says
// that it takes more only when a good part of what it holds is gone, which lasts minutes for a slow client.
bool Downstream::too_slow(bool uploads) {
  const bool waited_for = (uploads && !std::exchange(excused_, false)) || engine().unsent(stream_) > 0;
  const std::uint64_t moved = exchange_.moved() - std::min<std::uint64_t>(exchange_.moved(), engine().untaken(stream_));
  return rate_.too_slow(engine().now(), moved, waited_for, exchange_.limits().min_rate, context_.rate_window);
}

void Downstream::look() {
  const bool uploads = exchange_.awaits_body();
  if (too_slow(uploads)) {
    reset_input_ = true;
    return exchange_.client_slow(uploads ? kSlowBody : kSlowReader);
  }
  watch_ = phase_ == Phase::body || engine().unsent(stream_) > 0 ? Watch::on : Watch::once;
  if (watch_ == Watch::on) arm(context_.rate_window / kLooksPerWindow);
}

// No next request for so long: it may still be taking the answer before.
void Downstream::silent() {
  if (engine().unsent(stream_) == 0 || too_slow(false)) return close_now();
  arm(context_.rate_window / kLooksPerWindow);
}

bool Downstream::behind() const { return watch_ == Watch::on && engine().unsent(stream_) > 0; }

}  // namespace gray::proxy
