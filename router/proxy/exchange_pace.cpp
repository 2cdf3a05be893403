// What an exchange does about the speed of its sides. A side that is ahead is paused. No socket is taken for a body
// that does not come, and a slow client loses its socket if others wait for one (backends/slow_share.hpp).
#include <string>

#include "config/base/log.hpp"
#include "router/policy/pace.hpp"
#include "router/proxy/exchange.hpp"

namespace gray::proxy {

using segment::Reason;
using segment::Side;

namespace {

constexpr http::Fault kSlowClient{408, "P8", "other requests waited for the socket that this slow client held", 0};

}  // namespace

// A worker decides whether a client that expects 100 sends its body at all (RFC 9110 10.1.1), and may upgrade before it
// has read one: such requests take their socket first.
bool Exchange::gathers_first() const {
  return request_.has_body && !client_->request().expect_continue && request_.upgrade.empty();
}

// A small body is awaited however slowly it comes: it holds no socket, and min_rate bounds it. A large one that comes
// slowly takes a socket as a slow request.
void Exchange::gather() {
  accepts_body_ = true;
  arm(policy::kFairStart);
  client_->body_wanted();
}

// Before the answer the client gets an error. Within it only a broken connection shows that the answer is incomplete.
void Exchange::client_slow(Reason reason, const http::Fault& fault) {
  log_slow_client(reason);
  if (state_ == State::sending || gathers()) return request_fault(reason, fault);
  note(fault, Side::downstream);
  feed(Event::client_gone, reason);
}

// What is left of the answer, if the client may get all of it at once.
std::optional<std::uint64_t> Exchange::rest_that_fits() const {
  const std::optional<std::uint64_t> rest = attempt_.side->rest();
  return rest && client_->has_room(*rest) ? rest : std::nullopt;
}

// More than the rest, so that a short read shows that nothing follows it.
std::size_t Exchange::answer_room() {
  if (const auto rest = rest_that_fits()) return static_cast<std::size_t>(*rest) + engine::kMinRead;
  return client_->takes();
}

std::size_t Exchange::body_read() const {
  if (attempt_.side == nullptr) return policy::kReplayBytes;
  return attempt_.side->takes();
}

// Before the answer the client is told why.
void Exchange::give_up_memory() {
  if (state_ == State::sending || gathers()) return request_fault(Reason::overloaded, kNoMemory);
  record_.fault = kNoMemory;
  feed(Event::client_gone, Reason::overloaded);
}

void Exchange::client_drained() {
  if (attempt_.side == nullptr) return;
  arm(stall_limit());
  attempt_.side->resume();
}

// A paused side is not silent: from now on the deadline applies to the side that is behind. If the client may get the
// rest of its answer at once it does, so that the worker's socket becomes free.
void Exchange::balance() {
  if (attempt_.side == nullptr) return;
  if (client_->backed_up() && !rest_that_fits()) {
    attempt_.side->pause();
    arm(stall_limit());
    client_->fell_behind();
  }
  if (accepts_body_ && attempt_.side->backed_up()) {
    attempt_.worker_behind = true;
    client_->pause_body();
  }
}

void Exchange::worker_drained() {
  attempt_.worker_behind = false;
  arm(state_ == State::tunnel ? stall_limit() : routing_.limits().request_timeout);
  client_->resume_body();
}

// Until a worker has sent 100 the client is not waited for.
void Exchange::interim(const http::Response& head) {
  client_->interim(head);
  if (head.status == 100 && std::exchange(expects_100_, false)) client_->body_wanted();
}

void Exchange::cut_as_slow() { client_slow(Reason::slow_client, kSlowClient); }

void Exchange::log_slow_client(Reason reason) {
  const bool known = client_was_cut();
  const std::uint32_t cuts = context_.slow_clients.add(routing_.client(), context_.shard.engine.now());
  if (!known) context_.backends.client_cut(*routing_.version());
  if (cuts == 0) return;
  std::string text = std::string(segment::name_of(reason)) + ": a request of " + routing_.client().ip_text();
  if (attempt_.worker != nullptr) text += " to " + attempt_.worker->id;
  text += reason == Reason::slow_client ? " was cut: the client was slow while other requests waited"
                                        : " was cut: the client was slower than min_rate";
  if (cuts > 1) text += " (and " + std::to_string(cuts - 1) + " before it)";
  log(LogLevel::warn, text);
}

void Exchange::client_pace(std::optional<std::uint64_t> rate) {
  if (attempt_.side == nullptr || state_ == State::tunnel) return;
  if (rate && *rate < policy::kFairRate) {
    was_slow_ = true;
    return context_.backends.slow_client(*routing_.version(), *this, *rate);
  }
  if (!client_was_cut()) leave_slow_share();
}

void Exchange::leave_slow_share() {
  if (Version* version = routing_.version()) context_.backends.slow_share().leave(*version, *this);
}

}  // namespace gray::proxy
