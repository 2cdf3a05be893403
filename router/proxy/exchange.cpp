#include "router/proxy/exchange.hpp"

#include <algorithm>

#include "router/proxy/router_answer.hpp"

namespace gray::proxy {

using segment::Reason;
using segment::Side;

namespace {

constexpr Duration kLongWait{100};

constexpr http::Fault kNoTunnel{503, "tunnels", "all tunnels to the workers of this version are in use", 0};

}  // namespace

Exchange::Exchange(ExchangeContext& context)
    : context_(context),
      deadline_(this, [](void* self, TimePoint) { static_cast<Exchange*>(self)->on_deadline(); }),
      routing_(context.tables, context.backends, context.trusted_proxies),
      replay_(context.shard.buffers),
      kept_(context.shard.buffers),
      tunnel_(context.shard.outbox) {}

void Exchange::feed(Event event) {
  const Step taken = step(state_, event);
  state_ = taken.next;
  act(taken.action);
}

// The actions of a usual request. The others are apart: inlined here, each action would save the registers they need.
void Exchange::act(Action action) {
  switch (action) {
    case Action::none: return;
    case Action::acquire: return acquire();
    case Action::send_request: return send_request();
    case Action::await_response: return await_response();
    case Action::start_response: return start_response();
    case Action::finish: return finish(false);
    default: return act_rarely(action);
  }
}

void Exchange::act_rarely(Action action) {
  switch (action) {
    case Action::none:
    case Action::acquire:
    case Action::send_request:
    case Action::await_response:
    case Action::start_response:
    case Action::finish: return;
    case Action::gather: return gather();
    case Action::reply: return reply();
    case Action::judge: return judge();
    case Action::finish_early: return finish(true);
    case Action::cut: return cut();
    case Action::forget: leave_queue(); return cut();
    case Action::open_tunnel: return open_tunnel();
    case Action::close_tunnel: return close_tunnel();
    case Action::expire_tunnel: return expire_tunnel();
    case Action::drop_answer: return drop_answer();
    case Action::ask_next: return ask_next();
    case Action::send_kept: return send_kept();
    case Action::impossible: context_.recorder.impossible(state_); return cut();
  }
}

// request_timeout bounds the wait for the first byte. After it a worker may send nothing, and a client may take
// nothing, for idle_timeout if that is longer: event streams have gaps.
Duration Exchange::stall_limit() const {
  if (state_ == State::tunnel) return routing_.limits().tunnel_idle;
  return std::max(routing_.limits().request_timeout, routing_.limits().idle_timeout);
}

void Exchange::on_deadline() {
  // A slow client is not a failure of the worker; the client side ends it in time.
  const bool answering = state_ == State::early || state_ == State::responding;
  if (gathers() && !is_small()) slow = true;
  if (((state_ == State::sending || (gathers() && is_small())) && awaits_body()) || (answering && client_->behind()))
    return arm(routing_.limits().request_timeout);
  if (!active()) return;  // left armed by a request that has ended
  if (state_ == State::waiting && attempt_.withdrawn) {
    leave_canary(Reason::none);
    return context_.shard.outbox.flush();
  }
  if (state_ == State::waiting && half_closed_ && context_.shard.engine.now() < waits_until())
    return judge_half_closed();
  if (spill()) return;
  state_ == State::waiting ? wait_is_over() : feed(Event::deadline, reason_of_deadline(state_));
  context_.shard.outbox.flush();
}

// The worker of the user had no room for too long: any other one is better than none.
bool Exchange::spill() {
  if (state_ != State::waiting || awaits == nullptr) return false;
  WorkerSide* side = context_.backends.spill(*routing_.version(), *this);
  if (side != nullptr) granted(*side);
  return side != nullptr;
}

// A client that has sent FIN nearly always reads on, or has left: nothing shows which. It is answered, and a reset ends
// the exchange. But once a request has waited for kLongWait, those who have not sent FIN go first: there is no time for
// it.
void Exchange::client_closing() {
  if (record_.first_byte != TimePoint{}) return;
  if (!request_complete_) return client_gone();
  half_closed_ = true;
  if (state_ == State::waiting) judge_half_closed();
}

void Exchange::judge_half_closed() {
  const TimePoint now = context_.shard.engine.now();
  const Version& version = *routing_.version();
  const Micros longest = (slow ? version.slow_queue : version.queue).oldest_wait(now);
  if (longest >= kLongWait) return client_gone();
  context_.shard.engine.timers().arm(deadline_, std::min(waits_until(), now + kLongWait));
}

void Exchange::acquire() {
  Backends& backends = context_.backends;
  accepts_body_ = false;
  if (client_was_cut()) slow = true;
  if (WorkerSide* side = backends.acquire(*routing_.version(), *this,
                                          {attempt_.avoid, attempt_.fresh_only, routing_.affinity(), wants_tunnel()})) {
    return take(*side);
  }
  if (wants_tunnel() && !backends.has_tunnel(*routing_.version())) {
    if (!routing_.is_assigned()) record_.fault = kNoTunnel;
    return refuse(Reason::overloaded);
  }
  record_.counts.reason = backends.enqueue(*routing_.version(), *this);
  if (record_.counts.reason != Reason::none) return refuse(record_.counts.reason);
  queued_ = context_.shard.engine.now();
  arm(routing_.limits().queue_timeout);
  feed(Event::queued);
}

void Exchange::granted(WorkerSide& side) {
  take(side);
  context_.shard.outbox.flush();
}

void Exchange::take(WorkerSide& side) {
  const TimePoint now = context_.shard.engine.now();
  if (state_ == State::waiting) record_.queued = std::chrono::duration_cast<Micros>(now - queued_);
  attempt_.side = &side;
  use_worker(&side.worker());
  if (slow) context_.backends.slow_share().count(*routing_.version(), *this);
  record_.granted = now;
  if (side.connecting()) arm(routing_.limits().connect_timeout);
  feed(side.connecting() ? Event::dial : Event::granted);
}

void Exchange::exhausted() {
  feed(refusal(), Reason::overloaded);
  context_.shard.outbox.flush();
}

void Exchange::shed() {
  refuse(Reason::overloaded);
  context_.shard.outbox.flush();
}

void Exchange::exhausted_tunnels() {
  record_.fault = kNoTunnel;
  exhausted();
}

void Exchange::use_worker(Worker* worker) {
  if (attempt_.worker != nullptr) --attempt_.worker->in_flight;
  attempt_.worker = worker;
  if (attempt_.worker != nullptr) ++attempt_.worker->in_flight;
}

void Exchange::begin_answer() {
  record_.counts.status = response_->status;
  record_.first_byte = context_.shard.engine.now();
  replay_.drop();
  arm(stall_limit());
}

void Exchange::start_response() {
  begin_answer();
  client_->start_response(*response_, response_extras());
}

void Exchange::response_data(std::string_view payload) {
  if (state_ == State::dropping) return drop_data(payload);
  record_.counts.bytes_out += payload.size();
  client_->response_data(payload);
  arm(stall_limit());
}

// done() may begin the client's next request in this object: nothing may follow it here.
void Exchange::finish(bool close) {
  client_->end_response(close);
  const TimePoint now = context_.shard.engine.now();
  const auto served = std::chrono::duration_cast<Micros>(now - record_.granted);
  if (!was_slow_) routing_.version()->service_time.add(served, now);  // else it is the client's time
  conclude();
  WorkerSide& side = *std::exchange(attempt_.side, nullptr);
  close ? side.discard(false) : side.release();
  client_->done();
}

void Exchange::cut() {
  if (record_.counts.reason == Reason::none) record_.counts.reason = Reason::client_gone;
  if (record_.first_byte == TimePoint{}) record_.counts.status = 0;
  const bool tunnel = record_.counts.status == 101;
  if (tunnel) attempt_.side->abort();  // a tunnel is broken off on both sides
  // A status below 500: the client's fault.
  const bool suspect = segment::status_of(record_.counts.reason) >= 500 && record_.counts.reason != Reason::overloaded;
  if (attempt_.side != nullptr) drop_upstream(!tunnel && suspect);
  conclude();
  client_->cut();
}

void Exchange::reset(const RequestFacts& request, const ClientInfo& client, TimePoint started) {
  request_ = request;
  info_ = client;
  routing_.clear(*client.peer);
  replay_.begin();
  record_ = {.started = started};
  attempt_ = {};
  accepts_body_ = expects_100_ = half_closed_ = was_slow_ = slow = false;
  queued_ = {};
  context_.recorder.make_id(own_id_);
  request_id_ = {own_id_.data(), own_id_.size()};
}

void Exchange::refuse(const http::Fault& fault, const ClientInfo& client, TimePoint started) {
  reset({}, client, started);
  request_complete_ = false;  // the start of the next request is unknown
  note(fault, Side::downstream);
  feed(Event::refused, reason_of(fault));
}

void Exchange::begin(const RequestFacts& request, const ClientInfo& client, TimePoint started) {
  reset(request, client, started);
  routing_.hold();
  request_complete_ = !request.has_body;
  if (request.forwards && !client.trusted) context_.recorder.ignored_forwards(*client.peer);
  if (request.last_hop) return answer_as_last_hop();
  const Refusal refusal = routing_.route(request, info_, client_->request());
  if (!routing_.unreadable_hop().empty()) context_.recorder.unreadable_hop(routing_.unreadable_hop(), *client.peer);
  const bool known = routing_.version() != nullptr;  // a request without a service keeps our id
  if (known && info_.trusted && !request.request_id.empty()) request_id_ = request.request_id;
  if (refusal.fault.status != 0) note(refusal.fault, Side::downstream);
  if (refusal.reason != Reason::none) return feed(Event::refused, refusal.reason);
  if (context_.shard.memory.at_least(policy::MemoryLevel::refuse)) return request_fault(Reason::overloaded, kNoMemory);
  feed(gathers_first() ? Event::body : Event::request);
}

void Exchange::request_fault(Reason reason, const http::Fault& fault) {
  note(fault, Side::downstream);
  feed(Event::refused, reason);
}

void Exchange::note(const http::Fault& fault, Side side) {
  record_.fault = fault;
  record_.fault_side = side;
  context_.recorder.broken(fault, side);
}

// Max-Forwards: 0 (P3). OPTIONS asks for the capabilities of the last hop. TRACE asks it to echo the request with its
// cookies and credentials: always refused.
void Exchange::answer_as_last_hop() {
  if (request_.method != http::Method::trace) return feed(Event::refused, Reason::none);
  record_.fault.text = "the router does not answer TRACE";
  feed(Event::refused, Reason::unsupported);
}

void Exchange::reply() {
  if (attempt_.side != nullptr) drop_upstream(false);
  if (linked) leave_queue();
  http::LocalAnswer answer = router_answer(record_.counts.reason, record_.fault.text);
  answer.request_id = request_id_;
  answer.head_request = request_.method == http::Method::head;
  answer.close = !request_complete_;
  answer.version = routing_.shown_version();
  answer.decision = routing_.shown_decision();
  record_.counts.status = answer.status;
  client_->answer(answer);
  conclude();
  client_->done();
}

// ---- an upgraded exchange

void Exchange::open_tunnel() {
  begin_answer();
  leave_slow_share();
  tunnel_.open(*attempt_.side, protocol_);
  http::ResponseExtras extras = response_extras();
  extras.upgrade = protocol_;
  const auto served = std::chrono::duration_cast<Micros>(record_.first_byte - record_.granted);
  routing_.version()->service_time.add(served, context_.shard.engine.now());
  accepts_body_ = true;
  client_->open_tunnel(*response_, extras);
}

void Exchange::client_bytes(std::string_view bytes) {
  record_.counts.bytes_in += bytes.size();
  tunnel_.client_bytes(bytes);
  arm(stall_limit());
}

void Exchange::worker_bytes(std::string_view bytes) {
  record_.counts.bytes_out += bytes.size();
  tunnel_.worker_bytes(bytes);
  arm(stall_limit());
}

void Exchange::end_tunnel(Reason reason) {
  feed(Event::deadline, reason);
  context_.shard.outbox.flush();
}

void Exchange::close_tunnel() {
  record_.counts.reason = tunnel_.close();
  left_tunnel();
}

void Exchange::expire_tunnel() {
  std::array<char, 32> id;
  context_.recorder.make_id(id);
  tunnel_.expire({id.data() + 16, 4});  // from the half that changes
  left_tunnel();
}

void Exchange::left_tunnel() {
  attempt_.side = nullptr;
  conclude();
  client_->done();
}

// ---- results: answer fields, counters, log

http::ResponseExtras Exchange::response_extras() const {
  return {.request_id = request_id_,
          .version = routing_.shown_version(),
          .decision = routing_.shown_decision(),
          .cookies = routing_.cookies(context_.cookies)};
}

// Every exchange is counted once, however it ended.
void Exchange::conclude() {
  leave_slow_share();
  if (routing_.held() || record_.counts.status != 0) {
    routing_.count(record_);
    if (attempt_.worker != nullptr) record_.cell = attempt_.worker->cell;
    context_.recorder.record(record_);
    if (context_.recorder.logs()) log_line();
  }
  use_worker(nullptr);
  if (budget_ != nullptr) std::exchange(budget_, nullptr)->end();
  routing_.end();
  accepts_body_ = false;
  replay_.drop();
  kept_.drop();
}

// Behind a trusted proxy the client is not the peer, and its text is made here: the one allocation, off the usual path.
void Exchange::log_line() {
  const std::string hop = info_.trusted ? routing_.client().ip_text() : std::string();
  stats::AccessRecord line{.request_id = request_id_,
                           .own_id = request_id_.data() == own_id_.data(),
                           .client = info_.trusted ? std::string_view(hop) : info_.ip,
                           .method = request_.method_text,
                           .host = request_.authority,
                           .path = request_.path};
  routing_.describe(line);
  if (attempt_.worker != nullptr) line.worker = attempt_.worker->id;
  if (!request_.trace_id.empty()) {
    line.trace = request_.trace_id;
    line.span = span();
  }
  context_.recorder.write_line(record_, line);
}

}  // namespace gray::proxy
